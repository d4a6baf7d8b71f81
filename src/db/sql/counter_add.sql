-- Something has happened n times.
INSERT INTO pattimpex_counter (subject, kind, task, outcome, shard, n, amount) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (subject, kind, task, outcome, shard) DO UPDATE SET n = pattimpex_counter.n + excluded.n, amount = pattimpex_counter.amount + excluded.amount
