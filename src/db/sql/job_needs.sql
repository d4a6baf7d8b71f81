-- What a job still waits for.
SELECT needs_id FROM pattimpex_job_need WHERE job_id = ? AND is_open = 1 ORDER BY needs_id LIMIT ?
