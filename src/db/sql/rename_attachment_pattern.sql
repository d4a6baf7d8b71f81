-- renamed_from: the rows of one name are another's.
UPDATE pattimpex_attachment SET pattern = ? WHERE pattern = ?
