-- The next bytes.
INSERT INTO pattimpex_blob_piece (blob_id, n, bytes) VALUES (?, ?, ?)
