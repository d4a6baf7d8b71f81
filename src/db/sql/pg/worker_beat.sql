-- A worker lives, for so many microseconds more, and tells what it is at.
INSERT INTO pattimpex_worker (name, host, what, stopped, job_id, doing, lease)
VALUES (?, ?, ?, ?, ?, ?, CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) + ?)
ON CONFLICT (name) DO UPDATE
SET what = excluded.what, stopped = excluded.stopped, job_id = excluded.job_id, doing = excluded.doing, lease = excluded.lease
