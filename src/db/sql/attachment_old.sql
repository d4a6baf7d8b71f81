-- Attachments behind an id that have ended before a time and that nothing refers to any more.
SELECT a.id, a.direction, a.task, CASE WHEN a.remote_key IS NULL THEN 0 ELSE 1 END
FROM pattimpex_attachment AS a
WHERE a.id > ? AND a.state IN ('done', 'cancelled', 'duplicate') AND a.changed < ? AND a.remote_action IN ('none', 'done') AND a.blob_removed = 0
  AND NOT EXISTS (SELECT 1 FROM pattimpex_file AS f WHERE f.attachment_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.attachment_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM pattimpex_attachment AS child WHERE child.parent_id = a.id)
ORDER BY a.id
LIMIT ?
