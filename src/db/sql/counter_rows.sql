-- Rows of a pattern file were loaded, or left out.
INSERT INTO pattimpex_counter (subject, kind, task, outcome, shard, n, amount)
SELECT 'rows', f.kind, coalesce(f.task, ''), c.outcome, CAST(? AS integer), c.n, 0
FROM pattimpex_file AS f
CROSS JOIN (
    SELECT 'created' AS outcome, CAST(? AS bigint) AS n
    UNION ALL SELECT 'updated', CAST(? AS bigint)
    UNION ALL SELECT 'unchanged', CAST(? AS bigint)
    UNION ALL SELECT 'failed', CAST(? AS bigint)
    UNION ALL SELECT 'skipped', CAST(? AS bigint)) AS c
WHERE f.id = ? AND c.n > 0
ORDER BY c.outcome
ON CONFLICT (subject, kind, task, outcome, shard) DO UPDATE SET n = pattimpex_counter.n + excluded.n, amount = pattimpex_counter.amount + excluded.amount
