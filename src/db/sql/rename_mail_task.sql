-- renamed_from: when a task was mailed about is another's, unless that one has a time of its own.
UPDATE pattimpex_mail SET task = ? WHERE task = ? AND NOT EXISTS (SELECT 1 FROM pattimpex_mail AS other WHERE other.task = ?)
