-- What has failed since a time and is nobody's yet, newest first: jobs, then what failed without a failed job: files whose last try had bad rows or
-- was refused, attachments. Jobs that are tried again by themselves (state pending) stand among them but are not counted.
SELECT x.subject, x.id, x.kind, x.state, x.task, x.name, x.error, x.n_rows, x.n_failed, x.at, x.eta,
    sum(CASE WHEN x.state = 'pending' THEN 0 ELSE 1 END) OVER (), sum(CASE WHEN x.subject = 'job' AND x.state = 'failed' THEN 1 ELSE 0 END) OVER ()
FROM (
    SELECT 'job' AS subject, j.id, j.kind, j.state, j.task, coalesce(a.name, b.name) AS name, j.error, 0 AS n_rows, 0 AS n_failed,
        CASE WHEN j.state = 'failed' THEN j.ended ELSE j.started END AS at, j.eta
    FROM pattimpex_job AS j
    LEFT JOIN pattimpex_attachment AS a ON a.id = j.attachment_id
    LEFT JOIN pattimpex_file AS f ON f.id = j.file_id
    LEFT JOIN pattimpex_attachment AS b ON b.id = f.attachment_id
    WHERE (j.state = 'failed' AND j.ended >= ?) OR (j.state = 'pending' AND j.error IS NOT NULL)
    UNION ALL
    SELECT 'file', f.id, f.kind, f.state, f.task, a.name, f.error, f.n_rows, f.n_failed, f.ended, 0
    FROM pattimpex_file AS f
    JOIN pattimpex_attachment AS a ON a.id = f.attachment_id
    WHERE f.state IN ('failed', 'refused') AND f.ended >= ?
      AND NOT EXISTS (SELECT 1 FROM pattimpex_file AS n WHERE n.previous_id = f.id)
      AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.file_id = f.id AND j.state = 'failed')
    UNION ALL
    SELECT 'attachment', a.id, a.direction, a.state, a.task, a.name, a.error, 0, 0, a.changed, 0
    FROM pattimpex_attachment AS a
    WHERE a.state IN ('failed', 'refused') AND a.changed >= ?
      AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.attachment_id = a.id AND j.state = 'failed')
      AND NOT EXISTS (SELECT 1 FROM pattimpex_file AS f WHERE f.attachment_id = a.id)) AS x
ORDER BY x.at DESC, x.id DESC
LIMIT ?
