-- The job that loads a chunk.
UPDATE pattimpex_chunk SET job_id = ? WHERE id = ?
