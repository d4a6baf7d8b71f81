-- One job; the columns are those of every job_*.sql that returns some.
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
FROM pattimpex_job
WHERE id = ?
