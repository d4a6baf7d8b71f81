-- Where the bytes of a name are.
SELECT id, size FROM pattimpex_blob WHERE name = ?
