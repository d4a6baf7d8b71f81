-- Of which of these contents there is an import attachment, and the first one, of one task or (NULL) of all. Duplicates of others do not count.
SELECT asked.place, min(a.id)
FROM unnest(CAST(? AS text[])) WITH ORDINALITY AS asked (sha256, place)
JOIN pattimpex_attachment AS a ON a.sha256 = asked.sha256
WHERE a.direction = 'import' AND a.state <> 'duplicate' AND (CAST(? AS text) IS NULL OR a.task = ?)
GROUP BY asked.place
