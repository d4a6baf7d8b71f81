-- As the other one; the entries of jobs that are not pending any more, which stay in the index while a transaction is open that is older, are walked
-- once a channel: who is first in the channel is due, as a rule. The job is looked up by its id: a join would read all jobs there are.
WITH RECURSIVE asked AS (SELECT CAST(? AS bigint) AS now, CAST(? AS text) AS task, CAST(? AS text) AS same),
channels (name, id, eta, task) AS (
    (SELECT channel, id, eta, task FROM pattimpex_job WHERE state = 'pending' ORDER BY channel, priority, eta, id LIMIT 1)
    UNION ALL
    SELECT n.channel, n.id, n.eta, n.task
    FROM channels AS c
    CROSS JOIN LATERAL (
        SELECT k.channel, k.id, k.eta, k.task
        FROM pattimpex_job AS k
        WHERE k.state = 'pending' AND k.channel > c.name
        ORDER BY k.channel, k.priority, k.eta, k.id
        LIMIT 1) AS n
)
SELECT c.name, j.id, j.priority, j.eta, j.kind
FROM channels AS c
CROSS JOIN asked AS a
LEFT JOIN LATERAL (
    SELECT one.id, one.priority, one.eta, one.kind
    FROM pattimpex_job AS one
    WHERE one.id =
        CASE
        WHEN c.eta <= a.now AND (a.task IS NULL OR c.task = a.same) THEN c.id
        ELSE (
            SELECT k.id
            FROM pattimpex_job AS k
            WHERE k.state = 'pending' AND k.channel = c.name AND k.eta <= a.now AND (a.task IS NULL OR k.task = a.same)
            ORDER BY k.priority, k.eta, k.id
            LIMIT 1)
        END
    LIMIT 1) AS j ON TRUE
