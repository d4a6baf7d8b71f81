-- A later try loses the one before it.
UPDATE pattimpex_file SET previous_id = NULL WHERE previous_id = ?
