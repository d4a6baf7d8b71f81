-- renamed_from: when a task was due is another's, but for times that this one has itself.
UPDATE pattimpex_due SET task = ?
WHERE task = ? AND NOT EXISTS (SELECT 1 FROM pattimpex_due AS other WHERE other.task = ? AND other.kind = pattimpex_due.kind AND other.due = pattimpex_due.due)
