-- New jobs (job_add.sql): the places, from 1, and ids of those whose identity no other job has.
WITH given AS MATERIALIZED (
    SELECT nextval((SELECT CAST(pg_get_serial_sequence('pattimpex_job', 'id') AS regclass))) AS id, rows.*
    FROM unnest(
        CAST(? AS text[]), CAST(? AS text[]), CAST(? AS integer[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS text[]),
        CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS text[]),
        CAST(? AS bigint[]), CAST(? AS bigint[]))
        WITH ORDINALITY AS rows (
        kind, channel, priority, eta, attempt, identity, state, task, attachment_id, file_id, owner, created, started, place)),
added AS (
    INSERT INTO pattimpex_job (
        id, kind, channel, priority, eta, attempt, identity, state, task, attachment_id, file_id, owner, created, started, retries, deaths, ended)
    SELECT
        id, kind, channel, priority, eta, attempt, identity, state, task, attachment_id, file_id, owner, created, started, 0, 0, 0
    FROM given
    ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING id)
SELECT given.place, given.id FROM given JOIN added ON added.id = given.id
