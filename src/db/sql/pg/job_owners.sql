-- The workers that jobs are with, but for one, and whether their leases hold (1) or are over (2).
SELECT o.owner, CASE WHEN EXISTS (SELECT 1 FROM pattimpex_worker AS w WHERE w.name = o.owner AND w.lease > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)) THEN 1 ELSE 2 END
FROM (SELECT DISTINCT owner FROM pattimpex_job WHERE state = 'started' AND owner <> ?) AS o
