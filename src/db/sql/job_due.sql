-- Whether claiming is worth a transaction: a job that is due, or one of another worker, who may be dead.
SELECT 1 FROM pattimpex_job WHERE state = 'pending' AND eta <= ?
UNION ALL
SELECT 1 FROM pattimpex_job WHERE state = 'started' AND owner <> ?
LIMIT 1
