-- One attachment; the columns are those of every attachment_*.sql that returns some.
SELECT id, CASE WHEN is_receipt = 1 THEN 'receipt' ELSE direction END, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key, remote_action, remote_held, moved_to, error, created, changed
FROM pattimpex_attachment
WHERE id = ?
