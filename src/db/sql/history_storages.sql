-- The storages that have left something.
SELECT DISTINCT storage FROM pattimpex_attachment WHERE storage IS NOT NULL ORDER BY 1
