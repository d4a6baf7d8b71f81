-- Several things have happened.
INSERT INTO pattimpex_counter (subject, kind, task, outcome, shard, n, amount)
SELECT c.subject, c.kind, c.task, c.outcome, CAST(? AS integer), c.n, c.amount
FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]))
    AS c (subject, kind, task, outcome, n, amount)
ORDER BY c.subject, c.kind, c.task, c.outcome
ON CONFLICT (subject, kind, task, outcome, shard) DO UPDATE SET n = pattimpex_counter.n + excluded.n, amount = pattimpex_counter.amount + excluded.amount
