-- When a job of a throttled channel was last claimed, as the clock of who asks would have shown it.
SELECT CAST(? AS bigint) - (CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) - last_start) FROM pattimpex_channel WHERE name = ?
