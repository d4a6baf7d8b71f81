-- Touches the job when it still is this worker's, at this attempt.
UPDATE pattimpex_job SET state = 'started' WHERE id = ? AND attempt = ? AND owner = ? AND state = 'started'
