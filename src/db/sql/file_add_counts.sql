-- A chunk of a pattern file that several workers load is done.
UPDATE pattimpex_file
SET n_rows = n_rows + ?, n_created = n_created + ?, n_updated = n_updated + ?, n_unchanged = n_unchanged + ?, n_failed = n_failed + ?,
    n_skipped = n_skipped + ?, bytes_done = CASE WHEN rows_total > 0 THEN bytes_total * (n_rows + ?) / rows_total ELSE bytes_done END
WHERE id = ?
