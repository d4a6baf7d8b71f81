-- What is known of a task.
SELECT enabled, last_run, last_state, last_error FROM pattimpex_task_state WHERE task = ?
