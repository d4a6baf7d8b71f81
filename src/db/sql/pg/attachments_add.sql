-- New attachments (attachment_add.sql): the places, from 1, and ids of those that were not in the queue already.
WITH given AS MATERIALIZED (
    SELECT nextval((SELECT CAST(pg_get_serial_sequence('pattimpex_attachment', 'id') AS regclass))) AS id, rows.*
    FROM unnest(
        CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]),
        CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS integer[]),
        CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]),
        CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS integer[]))
        WITH ORDINALITY AS rows (
        direction, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key,
        remote_action, remote_held, moved_to, error, created, changed, is_receipt, place)),
added AS (
    INSERT INTO pattimpex_attachment (
        id, direction, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key,
        remote_action, remote_held, moved_to, error, created, changed, is_receipt)
    SELECT
        id, direction, state, name, task, upload_task, pattern, sha256, size, storage, path, on_exists, parent_id, remote_key,
        remote_action, remote_held, moved_to, error, created, changed, is_receipt
    FROM given
    ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING id)
SELECT given.place, given.id FROM given JOIN added ON added.id = given.id
