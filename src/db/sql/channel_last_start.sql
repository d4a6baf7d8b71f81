-- When a job of a throttled channel was last claimed; the first parameter is the time now.
SELECT last_start FROM pattimpex_channel WHERE CAST(? AS bigint) IS NOT NULL AND name = ?
