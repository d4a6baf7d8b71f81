-- When the same was last told of a task.
SELECT max(created) FROM pattimpex_notice WHERE event = ? AND task = ? AND why = ?
