-- It has been mailed.
UPDATE pattimpex_notice SET wants_mail = 0 WHERE wants_mail = 1 AND mail_job = ?
