-- Of each channel that has pending jobs the one that is due first, of one task or (NULL) of all; no id where none is due yet. A job a channel is
-- looked at, however many there are.
WITH RECURSIVE channels (name) AS (
    SELECT min(channel) FROM pattimpex_job WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(j.channel) FROM pattimpex_job AS j WHERE j.state = 'pending' AND j.channel > c.name) FROM channels AS c WHERE c.name IS NOT NULL
)
SELECT c.name, j.id, j.priority, j.eta, j.kind
FROM channels AS c
LEFT JOIN pattimpex_job AS j ON j.id = (
    SELECT k.id
    FROM pattimpex_job AS k
    WHERE k.state = 'pending' AND k.channel = c.name AND k.eta <= ? AND (CAST(? AS text) IS NULL OR k.task = ?)
    ORDER BY k.priority, k.eta, k.id
    LIMIT 1)
WHERE c.name IS NOT NULL
