-- The job is tried again at eta.
UPDATE pattimpex_job SET state = 'pending', eta = ?, retries = retries + 1, error = ?, tries = ?, owner = NULL WHERE id = ?
