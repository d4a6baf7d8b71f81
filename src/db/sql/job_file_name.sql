-- The name of the file that an attachment or a pattern file is about.
SELECT coalesce((SELECT name FROM pattimpex_attachment WHERE id = ?),
    (SELECT a.name FROM pattimpex_file AS f JOIN pattimpex_attachment AS a ON a.id = f.attachment_id WHERE f.id = ?))
