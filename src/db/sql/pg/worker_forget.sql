-- A worker has ended, and no job is with it any more.
DELETE FROM pattimpex_worker AS w
WHERE w.name = ? AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.state = 'started' AND j.owner = w.name)
