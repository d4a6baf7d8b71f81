-- What the queue holds in each channel: working, due, to be tried or begun later, waiting for other jobs, failed; and when the oldest due one was due.
SELECT channel, sum(CASE WHEN state = 'started' THEN 1 ELSE 0 END), sum(CASE WHEN state = 'pending' AND eta <= ? THEN 1 ELSE 0 END),
    sum(CASE WHEN state = 'pending' AND eta > ? THEN 1 ELSE 0 END), sum(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END),
    sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), min(CASE WHEN state = 'pending' AND eta <= ? THEN eta END)
FROM (
    SELECT channel, state, eta FROM pattimpex_job WHERE state = 'pending'
    UNION ALL SELECT channel, state, eta FROM pattimpex_job WHERE state = 'started'
    UNION ALL SELECT channel, state, eta FROM pattimpex_job WHERE state = 'waiting'
    UNION ALL SELECT channel, state, eta FROM pattimpex_job WHERE state = 'failed') AS j
GROUP BY channel
ORDER BY channel
