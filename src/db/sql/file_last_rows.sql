-- How many rows the last files of a task had, but for one of them; later tries do not count.
SELECT n_rows FROM pattimpex_file
WHERE task = ? AND kind = 'import' AND state IN ('done', 'failed') AND previous_id IS NULL AND id <> ?
ORDER BY id DESC
LIMIT ?
