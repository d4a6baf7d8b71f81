-- Where the next chunk of a file begins.
SELECT first_row, last_row, n_rows, n_created, n_updated, n_unchanged, n_failed, n_skipped, next_row, next_place
FROM pattimpex_chunk
WHERE file_id = ?
ORDER BY first_row DESC
LIMIT 1
