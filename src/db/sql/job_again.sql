-- A person wants the job to be tried again.
UPDATE pattimpex_job
SET state = CASE WHEN waits > 0 THEN 'waiting' ELSE 'pending' END, eta = ?, retries = 0, deaths = 0, error = NULL, tries = NULL, owner = NULL, ended = 0
WHERE id = ?
