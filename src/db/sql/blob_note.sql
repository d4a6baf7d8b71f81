-- Bytes that are kept elsewhere, or that are wanted once more.
INSERT INTO pattimpex_blob (name, size, touched) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET touched = excluded.touched
