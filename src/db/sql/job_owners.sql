-- The workers that jobs are with, but for one; 0: their lock files tell whether they live.
SELECT DISTINCT owner, 0 FROM pattimpex_job WHERE state = 'started' AND owner <> ?
