-- A pattern file has ended: that it did and how long it took; of an export, the records in it.
INSERT INTO pattimpex_counter (subject, kind, task, outcome, shard, n, amount)
SELECT c.subject, f.kind, coalesce(f.task, ''), CASE WHEN c.subject = 'file' THEN f.state ELSE 'exported' END, CAST(? AS integer),
    CASE WHEN c.subject = 'file' THEN 1 ELSE f.n_rows END,
    CASE WHEN c.subject = 'file' AND f.started > 0 AND f.ended > f.started THEN f.ended - f.started ELSE 0 END
FROM pattimpex_file AS f
CROSS JOIN (SELECT 'file' AS subject UNION ALL SELECT 'rows') AS c
WHERE f.id = ? AND f.ended > 0 AND (c.subject = 'file' OR (f.kind = 'export' AND f.n_rows > 0))
ORDER BY c.subject
ON CONFLICT (subject, kind, task, outcome, shard) DO UPDATE SET n = pattimpex_counter.n + excluded.n, amount = pattimpex_counter.amount + excluded.amount
