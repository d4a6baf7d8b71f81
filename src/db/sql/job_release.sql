-- A worker gives back what it does not get to.
UPDATE pattimpex_job SET state = 'pending', owner = NULL WHERE id = ? AND attempt = ? AND state = 'started'
