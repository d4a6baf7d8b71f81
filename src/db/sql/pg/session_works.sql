-- Whether a session is there, and does something or waits for anybody but its client.
SELECT 1
FROM pg_stat_activity
WHERE pid = ? AND CAST(extract(epoch FROM backend_start) * 1000000 AS bigint) = ? AND wait_event_type IS DISTINCT FROM 'Client'
