-- A task that does not run is not due.
DELETE FROM pattimpex_due WHERE task = ? AND kind = ?
