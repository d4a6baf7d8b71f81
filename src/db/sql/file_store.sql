-- How far a pattern file has come.
UPDATE pattimpex_file
SET state = ?, n_rows = ?, n_created = ?, n_updated = ?, n_unchanged = ?, n_failed = ?, n_skipped = ?, rows_total = ?, bytes_done = ?,
    bytes_total = ?, error = ?, started = ?, ended = ?
WHERE id = ?
