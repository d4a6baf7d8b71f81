-- Pattern files that ended before a time and that nobody has to look at: well, cancelled, or tried again with success. Their jobs go first.
SELECT f.id
FROM pattimpex_file AS f
WHERE f.ended > 0 AND f.ended < ?
  AND (f.state IN ('done', 'cancelled')
    OR EXISTS (SELECT 1 FROM pattimpex_file AS later WHERE later.previous_id = f.id AND later.state IN ('done', 'cancelled')))
  AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.file_id = f.id)
ORDER BY f.ended
LIMIT ?
