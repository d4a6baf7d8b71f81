-- Of which of these names (and paths, unless NULL) there is an import attachment, of one task or (NULL) of all. Duplicates of others do not count.
SELECT asked.place FROM unnest(CAST(? AS text[]), CAST(? AS text[])) WITH ORDINALITY AS asked (name, path, place)
WHERE EXISTS (
  SELECT 1 FROM pattimpex_attachment AS a
  WHERE a.name = asked.name AND a.direction = 'import' AND a.state <> 'duplicate' AND (asked.path IS NULL OR a.path = asked.path)
    AND (CAST(? AS text) IS NULL OR a.task = ?))
