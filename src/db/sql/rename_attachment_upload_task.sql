-- renamed_from: the rows of one name are another's.
UPDATE pattimpex_attachment SET upload_task = ? WHERE upload_task = ?
