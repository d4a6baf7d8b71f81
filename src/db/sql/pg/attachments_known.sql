-- Which of the remote files with these identities the queue holds for a task.
SELECT asked.place FROM unnest(CAST(? AS text[])) WITH ORDINALITY AS asked (remote_key, place)
JOIN pattimpex_attachment AS a ON a.remote_key = asked.remote_key AND a.task = ?
