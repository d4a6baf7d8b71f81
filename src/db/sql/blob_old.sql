-- Bytes whose names begin so, behind a name, that nobody has added for some time.
SELECT name, size FROM pattimpex_blob WHERE name > ? AND substr(name, 1, length(CAST(? AS text))) = ? AND touched < ? ORDER BY name LIMIT ?
