-- A new attachment; nothing is returned when this very remote file is in the queue already.
INSERT INTO pattimpex_attachment (direction, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key,
    remote_action, remote_held, moved_to, error, created, changed, is_receipt)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
RETURNING id
