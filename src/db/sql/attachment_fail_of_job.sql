-- The job of a pending attachment has failed for good.
UPDATE pattimpex_attachment
SET state = 'failed', error = ?, changed = ?
WHERE id = ? AND state = 'pending'
