-- Whether the queue holds a remote file with this identity.
SELECT 1 FROM pattimpex_attachment WHERE remote_key = ? LIMIT 1
