-- Switches a task on or off over its configuration; NULL: as configured.
INSERT INTO pattimpex_task_state (task, enabled, last_run, last_state) VALUES (?, ?, 0, 'pending')
ON CONFLICT (task) DO UPDATE SET enabled = excluded.enabled
