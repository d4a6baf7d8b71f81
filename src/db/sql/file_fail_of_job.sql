-- The job of a pattern file that has no end yet has failed for good.
UPDATE pattimpex_file
SET state = 'failed', error = ?, ended = ?
WHERE id = ? AND state IN ('pending', 'started')
