-- renamed_from: the rows of one name are another's.
UPDATE pattimpex_job SET task = ? WHERE task = ?
