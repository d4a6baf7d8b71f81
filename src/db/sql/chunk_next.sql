-- The first chunk of a part that has neither been loaded nor has a job.
SELECT c.id, CASE WHEN c.state = 'pending' THEN coalesce(j.state, c.state) ELSE c.state END, c.part, c.spool, c.spool_place, c.job_id, j.error, c.file_id,
    c.first_row, c.last_row, c.n_rows, c.n_created, c.n_updated, c.n_unchanged, c.n_failed, c.n_skipped
FROM pattimpex_chunk AS c
LEFT JOIN pattimpex_job AS j ON j.id = c.job_id
WHERE c.file_id = ? AND c.part = ? AND c.state = 'pending' AND c.job_id IS NULL
ORDER BY c.first_row
LIMIT 1
