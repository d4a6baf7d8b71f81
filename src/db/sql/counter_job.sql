-- A started job ends now: that it did, how long its last try took (the first bound of a histogram that is not less), how long it was due before.
INSERT INTO pattimpex_counter (subject, kind, task, outcome, shard, n, amount)
SELECT c.subject, j.kind, CASE WHEN c.subject = 'job' THEN j.task ELSE '' END,
    CASE
        WHEN c.subject = 'job' THEN j.outcome
        WHEN c.subject = 'job_wait' THEN ''
        WHEN j.took <= 100000 THEN '0.1'
        WHEN j.took <= 1000000 THEN '1'
        WHEN j.took <= 10000000 THEN '10'
        WHEN j.took <= 60000000 THEN '60'
        WHEN j.took <= 600000000 THEN '600'
        WHEN j.took <= 3600000000 THEN '3600'
        ELSE '+Inf'
    END,
    CAST(? AS integer), 1, CASE WHEN c.subject = 'job_wait' THEN j.waited ELSE j.took END
FROM (
    SELECT kind, coalesce(task, '') AS task, CAST(? AS text) AS outcome, CASE WHEN started < ? THEN CAST(? AS bigint) - started ELSE 0 END AS took,
        CASE WHEN started <= created OR started <= eta THEN 0 WHEN eta > created THEN started - eta ELSE started - created END AS waited
    FROM pattimpex_job
    WHERE id = ? AND state = 'started') AS j
CROSS JOIN (SELECT 'job' AS subject UNION ALL SELECT 'job_time' UNION ALL SELECT 'job_wait') AS c
WHERE TRUE
ON CONFLICT (subject, kind, task, outcome, shard) DO UPDATE SET n = pattimpex_counter.n + excluded.n, amount = pattimpex_counter.amount + excluded.amount
