-- A new pattern file.
INSERT INTO pattimpex_file (kind, state, attachment_id, previous_id, failed_only, task, pattern, snapshot, snapshot_hash, n_rows, n_created, n_updated,
    n_unchanged, n_failed, n_skipped, rows_total, bytes_done, bytes_total, error, created, started, ended)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id
