-- A job waits for another one; whether it has to is returned.
INSERT INTO pattimpex_job_need (needs_id, job_id, when_ended, is_open)
SELECT id, ?, ?, CASE WHEN state = 'done' OR (state IN ('failed', 'cancelled') AND CAST(? AS integer) = 1) THEN 0 ELSE 1 END
FROM pattimpex_job
WHERE id = ?
ON CONFLICT DO NOTHING
RETURNING is_open
