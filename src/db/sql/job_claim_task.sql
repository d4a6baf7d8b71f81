-- The same for one task.
UPDATE pattimpex_job
SET state = 'started', attempt = attempt + 1, owner = ?, started = ?
WHERE id = (SELECT id FROM pattimpex_job WHERE state = 'pending' AND eta <= ? AND task = ? ORDER BY priority, eta, id LIMIT 1)
RETURNING id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits
