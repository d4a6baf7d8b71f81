-- Pending attachments that no job works on, of one task or (NULL) of all, oldest first. What an upload task uploads is that task's.
SELECT id, CASE WHEN is_receipt = 1 THEN 'receipt' ELSE direction END, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key, remote_action, remote_held, moved_to, error, created, changed
FROM pattimpex_attachment AS a
WHERE state = 'pending'
  AND (direction <> 'import' OR pattern IS NOT NULL)
  AND (CAST(? AS text) IS NULL OR (upload_task IS NULL AND task = ?) OR upload_task = ?)
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.attachment_id = a.id AND j.state IN ('waiting', 'pending', 'started'))
ORDER BY id
LIMIT ?
