-- A file was taken or is gone.
DELETE FROM pattimpex_sighting WHERE task = ? AND place = ?
