-- A file that may still be written to is as it is since then.
INSERT INTO pattimpex_sighting (task, place, identity, since) VALUES (?, ?, ?, ?)
ON CONFLICT (task, place) DO UPDATE SET identity = excluded.identity, since = excluded.since
