-- Whoever leads goes on, or a worker takes the place of one whose lease is over; nothing is returned when another one leads.
INSERT INTO pattimpex_leader (role, owner) VALUES (?, ?)
ON CONFLICT (role) DO UPDATE SET owner = excluded.owner
WHERE pattimpex_leader.owner = excluded.owner
   OR NOT EXISTS (SELECT 1 FROM pattimpex_worker AS w WHERE w.name = pattimpex_leader.owner AND w.lease > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint))
RETURNING 1
