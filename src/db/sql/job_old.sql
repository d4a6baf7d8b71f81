-- Jobs that ended well or were cancelled before a time. One that runs again when a failed one is retried stays with that.
SELECT j.id
FROM pattimpex_job AS j
WHERE j.state IN ('done', 'cancelled') AND j.ended < ?
  AND NOT EXISTS (
    SELECT 1
    FROM pattimpex_job_need AS n
    JOIN pattimpex_job AS needed ON needed.id = n.needs_id
    WHERE n.job_id = j.id AND needed.state NOT IN ('done', 'cancelled'))
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job_need AS n WHERE n.needs_id = j.id AND n.is_open = 1)
ORDER BY j.ended
LIMIT ?
