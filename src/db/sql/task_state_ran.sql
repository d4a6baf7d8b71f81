-- The task has run.
INSERT INTO pattimpex_task_state (task, last_run, last_state, last_error) VALUES (?, ?, ?, ?)
ON CONFLICT (task) DO UPDATE SET last_run = excluded.last_run, last_state = excluded.last_state, last_error = excluded.last_error
