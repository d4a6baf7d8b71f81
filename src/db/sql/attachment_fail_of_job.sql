-- The job of a pending attachment has failed for good, and no other job goes on with it.
UPDATE pattimpex_attachment
SET state = 'failed', error = ?, changed = ?
WHERE id = ? AND state = 'pending'
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.attachment_id = pattimpex_attachment.id AND j.state IN ('waiting', 'pending', 'started'))
