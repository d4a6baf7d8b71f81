-- The channels that have failed jobs.
WITH RECURSIVE channels (name) AS (
    SELECT min(channel) FROM pattimpex_job WHERE state = 'failed'
    UNION ALL
    SELECT (SELECT min(j.channel) FROM pattimpex_job AS j WHERE j.state = 'failed' AND j.channel > c.name) FROM channels AS c WHERE c.name IS NOT NULL
)
SELECT name FROM channels WHERE name IS NOT NULL
