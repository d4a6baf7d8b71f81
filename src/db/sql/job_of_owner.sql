-- The jobs that a worker was running.
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
FROM pattimpex_job
WHERE state = 'started' AND owner = ?
ORDER BY id
