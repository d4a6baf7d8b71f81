-- What a job that has failed for good said at each of its tries.
UPDATE pattimpex_job SET tries = ? WHERE id = ?
