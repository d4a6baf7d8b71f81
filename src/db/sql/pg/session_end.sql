-- Ends a session that waits for its client, which has given it up.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE pid = ? AND CAST(extract(epoch FROM backend_start) * 1000000 AS bigint) = ? AND wait_event_type = 'Client'
