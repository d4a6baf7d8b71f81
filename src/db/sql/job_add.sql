-- A new job; nothing is returned when a pending or started one has the same identity.
INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, created, started, ended)
VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT DO NOTHING
RETURNING id
