-- A job took its worker with it: it may be claimed again.
UPDATE pattimpex_job SET state = 'pending', deaths = deaths + 1, error = ?, tries = ?, owner = NULL WHERE id = ?
