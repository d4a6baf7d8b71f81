-- Attachments by state, task and direction (each NULL: all), part of the error and time, newest first.
SELECT id, CASE WHEN is_receipt = 1 THEN 'receipt' ELSE direction END, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key, remote_action, remote_held, moved_to, error, created, changed
FROM pattimpex_attachment
WHERE (CAST(? AS text) IS NULL OR state = ?)
  AND (CAST(? AS text) IS NULL OR task = ? OR upload_task = ?)
  AND (CAST(? AS text) IS NULL OR CASE WHEN is_receipt = 1 THEN 'receipt' ELSE direction END = ?)
  AND (CAST(? AS text) IS NULL OR lower(error) LIKE ? ESCAPE '\')
  AND changed >= ?
ORDER BY id DESC
LIMIT ?
