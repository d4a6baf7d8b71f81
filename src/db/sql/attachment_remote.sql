-- How far the remote action has come.
UPDATE pattimpex_attachment
SET changed = ?, remote_action = ?, remote_held = ?, remote_key = ?, moved_to = ?
WHERE id = ?
