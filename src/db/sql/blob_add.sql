-- New bytes; nothing is returned when they are there.
INSERT INTO pattimpex_blob (name, size, touched) VALUES (?, ?, ?)
ON CONFLICT DO NOTHING
RETURNING id
