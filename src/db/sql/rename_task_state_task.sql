-- renamed_from: what is known of a task is another's, unless that one has a row of its own.
UPDATE pattimpex_task_state SET task = ? WHERE task = ? AND NOT EXISTS (SELECT 1 FROM pattimpex_task_state AS other WHERE other.task = ?)
