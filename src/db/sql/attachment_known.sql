-- Whether the queue holds a remote file with this identity for a task.
SELECT 1 FROM pattimpex_attachment WHERE task = ? AND remote_key = ? LIMIT 1
