-- When a task was last mailed about.
SELECT sent FROM pattimpex_mail WHERE task = ?
