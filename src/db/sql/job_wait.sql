-- A job that nobody has begun has one more need.
UPDATE pattimpex_job SET state = 'waiting', waits = waits + 1 WHERE id = ? AND state IN ('waiting', 'pending')
