-- Whether any job is due: claiming is not worth a transaction otherwise.
SELECT 1 FROM pattimpex_job WHERE state = 'pending' AND eta <= ? LIMIT 1
