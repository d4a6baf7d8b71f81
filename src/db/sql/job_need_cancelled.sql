-- A job that was cancelled and must be done before this one.
SELECT min(n.needs_id)
FROM pattimpex_job_need AS n
JOIN pattimpex_job AS needed ON needed.id = n.needs_id
WHERE n.job_id = ? AND n.is_open = 1 AND n.when_ended = 0 AND needed.state = 'cancelled'
