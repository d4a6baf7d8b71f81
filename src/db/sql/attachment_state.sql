-- A new state, with what is wrong (NULL: nothing) and where the file went (NULL: as it is).
UPDATE pattimpex_attachment
SET state = ?, error = ?, moved_to = coalesce(?, moved_to), changed = ?
WHERE id = ?
