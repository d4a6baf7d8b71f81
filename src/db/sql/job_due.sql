-- Whether any job is due, in one channel (NULL: in any), outside of another (NULL: of none): claiming is not worth a transaction otherwise.
SELECT 1 FROM pattimpex_job
WHERE state = 'pending' AND eta <= ? AND (CAST(? AS text) IS NULL OR channel = ?) AND (CAST(? AS text) IS NULL OR channel <> ?)
LIMIT 1
