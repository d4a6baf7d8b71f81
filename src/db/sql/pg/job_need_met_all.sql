-- Jobs are done; what waited for that gets on. The rows of those who wait are locked in one order, whoever ends what they wait for.
-- + 0: as in job_of_owner.sql.
WITH met AS (
    UPDATE pattimpex_job_need SET is_open = 0
    WHERE needs_id = ANY (CAST(? AS bigint[])) AND is_open = 1
    RETURNING job_id),
less AS (SELECT job_id, count(*) AS n FROM met GROUP BY job_id),
locked AS MATERIALIZED (
    SELECT j.id, less.n
    FROM pattimpex_job AS j
    JOIN less ON less.job_id = j.id
    ORDER BY j.id + 0
    FOR UPDATE OF j)
UPDATE pattimpex_job AS j
SET waits = j.waits - locked.n, state = CASE WHEN j.state = 'waiting' AND j.waits <= locked.n THEN 'pending' ELSE j.state END
FROM locked
WHERE j.id = locked.id
