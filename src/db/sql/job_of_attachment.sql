-- The last job of a kind that worked on an attachment.
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
FROM pattimpex_job
WHERE attachment_id = ? AND kind = ?
ORDER BY id DESC
LIMIT 1
