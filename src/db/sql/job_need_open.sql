-- The need is not met any more.
UPDATE pattimpex_job_need SET is_open = 1 WHERE needs_id = ? AND job_id = ?
