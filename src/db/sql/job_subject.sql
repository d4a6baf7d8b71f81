-- What the job works on.
UPDATE pattimpex_job SET attachment_id = ?, file_id = ? WHERE id = ?
