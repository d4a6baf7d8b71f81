-- A file of a task that has come since a time.
SELECT min(id) FROM pattimpex_attachment WHERE task = ? AND direction = 'import' AND state <> 'duplicate' AND created >= ?
