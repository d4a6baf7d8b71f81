-- renamed_from: the rows of one name are another's.
UPDATE pattimpex_file SET task = ? WHERE task = ?
