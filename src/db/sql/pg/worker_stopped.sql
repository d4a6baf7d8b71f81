-- A worker was told to end: the jobs that it still has go back as they were.
UPDATE pattimpex_worker SET stopped = 1, lease = 0 WHERE name = ?
