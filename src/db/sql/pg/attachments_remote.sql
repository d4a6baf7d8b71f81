-- How far the remote actions of attachments have come.
UPDATE pattimpex_attachment AS a
SET changed = ?, remote_action = given.remote_action, remote_held = given.remote_held, remote_key = given.remote_key, moved_to = given.moved_to
FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]))
    AS given (remote_action, remote_held, remote_key, moved_to, id)
WHERE a.id = given.id
