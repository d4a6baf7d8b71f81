-- The jobs that waited until another one had ended, as that has.
SELECT n.job_id
FROM pattimpex_job_need AS n
JOIN pattimpex_job AS j ON j.id = n.job_id
WHERE n.needs_id = ? AND n.is_open = 0 AND n.when_ended = 1 AND j.state <> 'cancelled'
