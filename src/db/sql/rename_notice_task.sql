-- renamed_from: the rows of one name are another's.
UPDATE pattimpex_notice SET task = ? WHERE task = ?
