-- Takes the next job that is due; every later transaction of the job compares the attempt.
UPDATE pattimpex_job
SET state = 'started', attempt = attempt + 1, owner = ?, started = ?
WHERE id = (SELECT id FROM pattimpex_job WHERE state = 'pending' AND eta <= ? ORDER BY priority, eta, id LIMIT 1)
RETURNING id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits
