-- Whether a chunk of a spool may still be loaded: not when its file has an end that nobody acts on, or was tried again as a whole.
SELECT 1
FROM pattimpex_chunk AS c
JOIN pattimpex_file AS f ON f.id = c.file_id
WHERE c.spool = ? AND c.state = 'pending' AND f.state IN ('started', 'failed')
  AND NOT EXISTS (SELECT 1 FROM pattimpex_file AS later WHERE later.previous_id = f.id)
LIMIT 1
