-- Old times but for the last two, and those that only a wrong clock has seen.
DELETE FROM pattimpex_due
WHERE task = ? AND kind = ?
  AND (due > ? OR (due < ? AND due NOT IN (SELECT due FROM pattimpex_due WHERE task = ? AND kind = ? AND due <= ? ORDER BY due DESC LIMIT 2)))
