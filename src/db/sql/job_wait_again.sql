-- What a job waited for runs again: it runs again behind it.
UPDATE pattimpex_job
SET state = 'waiting', waits = waits + 1, retries = 0, deaths = 0, error = NULL, tries = NULL, ended = 0
WHERE id = ? AND state <> 'started'
