-- Touches the job when it still is this attempt's.
UPDATE pattimpex_job SET state = 'started' WHERE id = ? AND attempt = ? AND state = 'started'
