-- The jobs that wait until another one is done.
SELECT n.job_id
FROM pattimpex_job_need AS n
JOIN pattimpex_job AS j ON j.id = n.job_id
WHERE n.needs_id = ? AND n.is_open = 1 AND n.when_ended = 0 AND j.state = 'waiting'
