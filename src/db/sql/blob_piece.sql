-- The bytes of one piece.
SELECT bytes FROM pattimpex_blob_piece WHERE blob_id = ? AND n = ?
