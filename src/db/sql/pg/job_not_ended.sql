-- Behind job_end_all.sql, in its transaction: these jobs go on, with the errors that they had.
UPDATE pattimpex_job AS j
SET state = 'started', error = given.error, ended = 0
FROM unnest(CAST(? AS bigint[]), CAST(? AS text[])) AS given (id, error)
WHERE j.id = given.id
