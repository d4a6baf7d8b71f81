-- Workers that died without a job.
DELETE FROM pattimpex_worker AS w
WHERE w.lease < CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.state = 'started' AND j.owner = w.name)
