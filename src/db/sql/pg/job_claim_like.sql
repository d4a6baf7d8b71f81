-- Takes the first due jobs of a channel, a priority and a kind that nobody else is taking, from the one on that was found to be the first: what is in
-- the index before it has begun, and is not walked through once more.
WITH who AS (SELECT CAST(? AS text) AS owner, CAST(? AS bigint) AS started),
picked AS MATERIALIZED (
    SELECT id FROM pattimpex_job
    WHERE state = 'pending' AND channel = ? AND priority = ? AND kind = ? AND eta <= ? AND (eta, id) >= (?, ?)
    ORDER BY eta, id
    LIMIT ?
    FOR UPDATE SKIP LOCKED)
UPDATE pattimpex_job AS j
SET state = 'started', attempt = j.attempt + 1, owner = who.owner, started = who.started
FROM picked, who
WHERE j.id = picked.id
RETURNING j.id, j.kind, j.channel, j.priority, j.eta, j.attempt, j.retries, j.deaths, j.identity, j.state, j.task, j.attachment_id, j.file_id, j.owner, j.error, j.created, j.started, j.ended, j.waits, j.tries
