-- Bytes that nobody needs, unless they were added meanwhile.
DELETE FROM pattimpex_blob WHERE name = ? AND touched < ?
