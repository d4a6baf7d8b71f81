-- What is left (but for notices: no task waits for them) of the jobs of one task or (NULL) of all, and how many have failed since a time.
SELECT coalesce(sum(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0),
    coalesce(sum(CASE WHEN state = 'started' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0),
    min(CASE WHEN state = 'pending' THEN eta END)
FROM pattimpex_job
WHERE (state IN ('waiting', 'pending', 'started') OR (state = 'failed' AND ended >= ?))
  AND kind <> 'notice'
  AND (CAST(? AS text) IS NULL OR task = ?)
