-- Whether any attachment needs a blob.
SELECT 1 FROM pattimpex_attachment WHERE sha256 = ? AND blob_removed = 0 LIMIT 1
