-- All that is counted.
SELECT subject, kind, task, outcome, n, amount FROM pattimpex_counter ORDER BY subject, kind, task, outcome
