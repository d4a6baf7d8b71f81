-- The job is tried again at eta.
UPDATE pattimpex_job SET state = 'pending', eta = ?, retries = retries + 1, error = ?, owner = NULL WHERE id = ?
