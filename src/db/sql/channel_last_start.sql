-- When a job of a throttled channel was last claimed.
SELECT last_start FROM pattimpex_channel WHERE name = ?
