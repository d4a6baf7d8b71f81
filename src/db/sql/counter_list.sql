-- All that is counted.
SELECT subject, kind, task, outcome, CAST(sum(n) AS bigint), CAST(sum(amount) AS bigint)
FROM pattimpex_counter
GROUP BY subject, kind, task, outcome
ORDER BY subject, kind, task, outcome
