-- One job; the columns are those of every job_*.sql that returns some, and the failed job that holds it.
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries,
  CASE WHEN state = 'waiting' THEN (
    SELECT min(n.needs_id)
    FROM pattimpex_job_need AS n
    JOIN pattimpex_job AS needed ON needed.id = n.needs_id
    WHERE n.job_id = pattimpex_job.id AND n.is_open = 1 AND n.when_ended = 0 AND needed.state = 'failed') END
FROM pattimpex_job
WHERE id = ?
