-- What becomes of a time that is due; nothing is returned when somebody has decided that before.
INSERT INTO pattimpex_due (task, kind, due, state, schedule, decided) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
RETURNING 1
