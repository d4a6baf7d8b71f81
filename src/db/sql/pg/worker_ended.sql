-- A worker has ended.
DELETE FROM pattimpex_worker WHERE name = ?
