-- The end of a job: done, failed or cancelled.
UPDATE pattimpex_job SET state = ?, error = ?, ended = ? WHERE id = ?
