-- All that is known of workers, of one or (NULL) of all.
SELECT name, host, what, stopped, job_id, doing, CASE WHEN lease > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) THEN 1 ELSE 0 END
FROM pattimpex_worker
WHERE CAST(? AS text) IS NULL OR name = ?
ORDER BY name
