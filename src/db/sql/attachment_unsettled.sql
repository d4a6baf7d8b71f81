-- Attachments of a task whose remote action is not done, oldest first.
SELECT id, CASE WHEN is_receipt = 1 THEN 'receipt' ELSE direction END, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key, remote_action, remote_held, moved_to, error, created, changed
FROM pattimpex_attachment
WHERE task = ? AND remote_action IN ('pending', 'taken')
ORDER BY id
