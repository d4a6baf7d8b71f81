-- A job has ended; the jobs that waited for that.
UPDATE pattimpex_job_need
SET is_open = 0
WHERE needs_id = ? AND is_open = 1 AND (when_ended = 1 OR CAST(? AS text) = 'done')
RETURNING job_id
