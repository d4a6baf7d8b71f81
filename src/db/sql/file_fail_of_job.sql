-- The job of a pattern file that has no end yet has failed for good, and no other job goes on with the file.
UPDATE pattimpex_file
SET state = 'failed', error = ?, ended = ?
WHERE id = ? AND state IN ('pending', 'started')
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.file_id = pattimpex_file.id AND j.state IN ('waiting', 'pending', 'started'))
