-- The bytes of an attachment are given up; its row keeps the remote file from being imported again.
UPDATE pattimpex_attachment SET blob_removed = ? WHERE id = ?
