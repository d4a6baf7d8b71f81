-- Jobs of a worker are done: those that still are its own, at these attempts. Others are not returned.
UPDATE pattimpex_job AS j
SET state = 'done', error = NULL, ended = ?
FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[])) AS given (id, attempt)
WHERE j.id = given.id AND j.attempt = given.attempt AND j.owner = ? AND j.state = 'started'
RETURNING j.id
