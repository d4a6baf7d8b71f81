-- The last time that was due until then.
SELECT due, state, schedule FROM pattimpex_due WHERE task = ? AND kind = ? AND due <= ? ORDER BY due DESC LIMIT 1
