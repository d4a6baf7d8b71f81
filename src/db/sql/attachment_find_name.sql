-- The first import attachment of that name (and path, unless NULL), of one task or (NULL) of all. Duplicates of others do not count.
SELECT min(id) FROM pattimpex_attachment
WHERE name = ? AND direction = 'import' AND state <> 'duplicate' AND (CAST(? AS text) IS NULL OR path = ?)
  AND (CAST(? AS text) IS NULL OR task = ?)
