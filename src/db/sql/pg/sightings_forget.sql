-- Files were taken or are gone.
DELETE FROM pattimpex_sighting WHERE task = ? AND place = ANY (CAST(? AS text[]))
