-- The messages of the first chunk of a part behind a row that has any.
SELECT first_row, messages
FROM pattimpex_chunk
WHERE file_id = ? AND part = ? AND first_row > ? AND messages IS NOT NULL
ORDER BY first_row
LIMIT 1
