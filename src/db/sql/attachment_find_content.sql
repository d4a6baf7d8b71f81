-- The first import attachment of that content, of one task or (NULL) of all. Duplicates of others do not count.
SELECT min(id) FROM pattimpex_attachment
WHERE sha256 = ? AND direction = 'import' AND state <> 'duplicate' AND (CAST(? AS text) IS NULL OR task = ?)
