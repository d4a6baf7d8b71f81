-- What a job mails or posts.
SELECT id, event, task, job_id, attachment_id, file_id, why, created FROM pattimpex_notice
WHERE (wants_mail = 1 AND mail_job = ?) OR webhook_job = ?
ORDER BY id
