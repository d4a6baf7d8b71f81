-- One need of a job is met. Row locks make this the place where the last of several wins.
UPDATE pattimpex_job SET waits = waits - 1, state = CASE WHEN state = 'waiting' AND waits <= 1 THEN 'pending' ELSE state END WHERE id = ?
