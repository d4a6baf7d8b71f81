-- What people were told of before a time, once the jobs that told are gone. What waits for a mail stays.
DELETE FROM pattimpex_notice
WHERE created < ? AND NOT (wants_mail = 1 AND mail_job IS NULL)
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.id = pattimpex_notice.mail_job OR j.id = pattimpex_notice.webhook_job)
