-- Tasks have run, and well; of several runs of a task the last one is remembered.
INSERT INTO pattimpex_task_state (task, last_run, last_state, last_error)
SELECT ran.task, max(ran.started), 'done', NULL
FROM unnest(CAST(? AS text[]), CAST(? AS bigint[])) AS ran (task, started)
GROUP BY ran.task
ORDER BY ran.task
ON CONFLICT (task) DO UPDATE SET last_run = excluded.last_run, last_state = excluded.last_state, last_error = excluded.last_error
