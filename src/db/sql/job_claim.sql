-- Takes a job; every later transaction of it compares the attempt.
UPDATE pattimpex_job
SET state = 'started', attempt = attempt + 1, owner = ?, started = ?
WHERE id = ? AND state = 'pending'
RETURNING id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
