-- A job that nobody has begun has one more need; it may have been cancelled with another one.
UPDATE pattimpex_job SET state = CASE WHEN state = 'cancelled' THEN state ELSE 'waiting' END, waits = waits + 1 WHERE id = ? AND state IN ('waiting', 'pending', 'cancelled')
