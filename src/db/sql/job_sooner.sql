-- A pending job is wanted earlier.
UPDATE pattimpex_job SET eta = ? WHERE id = ? AND state = 'pending' AND eta > ?
