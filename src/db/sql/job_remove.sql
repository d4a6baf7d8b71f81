-- A job that ended long ago.
DELETE FROM pattimpex_job WHERE id = ?
