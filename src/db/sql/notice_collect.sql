-- A job takes what waits for a mail about a task, once: what it has is the same for every try.
UPDATE pattimpex_notice SET mail_job = ?
WHERE wants_mail = 1 AND mail_job IS NULL AND coalesce(task, '') = ?
  AND NOT EXISTS (SELECT 1 FROM pattimpex_notice AS taken WHERE taken.wants_mail = 1 AND taken.mail_job = ?)
