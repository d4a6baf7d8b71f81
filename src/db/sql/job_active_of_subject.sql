-- The jobs that have no end yet and work on an attachment or a pattern file.
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
FROM pattimpex_job
WHERE state IN ('waiting', 'pending', 'started') AND (attachment_id = ? OR file_id = ?)
ORDER BY id
