-- A person wants the job to be tried again.
UPDATE pattimpex_job SET state = 'pending', eta = ?, retries = 0, deaths = 0, error = NULL, owner = NULL, ended = 0 WHERE id = ?
