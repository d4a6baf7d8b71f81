-- A mail about a task has gone out.
INSERT INTO pattimpex_mail (task, sent) VALUES (?, ?)
ON CONFLICT (task) DO UPDATE SET sent = excluded.sent
