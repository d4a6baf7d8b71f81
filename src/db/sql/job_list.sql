-- Jobs by state, task and kind (each NULL: all), part of the error and time, newest first; the last column is the failed job that holds it.
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries,
  CASE WHEN state = 'waiting' THEN (
    SELECT min(n.needs_id)
    FROM pattimpex_job_need AS n
    JOIN pattimpex_job AS needed ON needed.id = n.needs_id
    WHERE n.job_id = pattimpex_job.id AND n.is_open = 1 AND n.when_ended = 0 AND needed.state = 'failed') END
FROM pattimpex_job
WHERE (CAST(? AS text) IS NULL OR state = ?)
  AND (CAST(? AS text) IS NULL OR task = ?)
  AND (CAST(? AS text) IS NULL OR kind = ?)
  AND (CAST(? AS text) IS NULL OR channel = ? OR substr(channel, 1, length(CAST(? AS text)) + 1) = CAST(? AS text) || '.')
  AND (CAST(? AS text) IS NULL OR lower(error) LIKE ? ESCAPE '\')
  AND CASE WHEN ended > 0 THEN ended ELSE created END >= ?
ORDER BY id DESC
LIMIT ?
