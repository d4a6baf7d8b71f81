-- Something that people are told of.
INSERT INTO pattimpex_notice (event, task, job_id, attachment_id, file_id, why, created, wants_mail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id
