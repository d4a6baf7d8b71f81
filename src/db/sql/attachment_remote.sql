-- How far the remote action has come.
UPDATE pattimpex_attachment
SET remote_action = ?, remote_held = ?, remote_key = ?, moved_to = ?, changed = ?
WHERE id = ?
