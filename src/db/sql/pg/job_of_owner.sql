-- The jobs that a worker was running, locked. One whose row the worker itself has locked is left to it, until its transaction ends one way or the other.
-- + 0: no index is to be read as a whole for its order (px_db_keep_plans).
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
FROM pattimpex_job
WHERE state = 'started' AND owner = ?
ORDER BY id + 0
FOR UPDATE SKIP LOCKED
