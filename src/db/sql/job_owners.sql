-- The workers that jobs are with, but for one.
SELECT DISTINCT owner FROM pattimpex_job WHERE state = 'started' AND owner <> ?
