-- Bytes that are there are wanted once more.
UPDATE pattimpex_blob SET touched = ? WHERE name = ?
