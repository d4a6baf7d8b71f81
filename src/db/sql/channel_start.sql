-- A job of a throttled channel is claimed.
INSERT INTO pattimpex_channel (name, last_start) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET last_start = excluded.last_start
