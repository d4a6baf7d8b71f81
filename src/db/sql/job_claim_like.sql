-- Takes the first due jobs of a channel, a priority and a kind, from the one on that was found to be the first.
UPDATE pattimpex_job
SET state = 'started', attempt = attempt + 1, owner = ?, started = ?
WHERE id IN (
    SELECT id FROM pattimpex_job
    WHERE state = 'pending' AND channel = ? AND priority = ? AND kind = ? AND eta <= ? AND (eta, id) >= (?, ?)
    ORDER BY eta, id
    LIMIT ?)
RETURNING id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
