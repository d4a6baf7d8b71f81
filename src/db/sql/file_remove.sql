-- A pattern file that ended long ago.
DELETE FROM pattimpex_file WHERE id = ?
