-- Locks the row of a job, where rows are locked, until the transaction ends.
UPDATE pattimpex_job SET waits = waits WHERE id = ?
