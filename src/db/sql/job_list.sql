-- Jobs by state, task and kind (each NULL: all), newest first.
SELECT id, kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, attachment_id, file_id, owner, error, created, started, ended, waits, tries
FROM pattimpex_job
WHERE (CAST(? AS text) IS NULL OR state = ?)
  AND (CAST(? AS text) IS NULL OR task = ?)
  AND (CAST(? AS text) IS NULL OR kind = ?)
ORDER BY id DESC
LIMIT ?
