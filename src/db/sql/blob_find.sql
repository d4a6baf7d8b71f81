-- What is known of the bytes of a name.
SELECT id, size, touched FROM pattimpex_blob WHERE name = ?
