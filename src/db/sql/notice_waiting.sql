-- Whether more waits for a mail about a task.
SELECT 1 FROM pattimpex_notice WHERE wants_mail = 1 AND mail_job IS NULL AND coalesce(task, '') = ? LIMIT 1
