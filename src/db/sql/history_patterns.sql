-- The patterns that have left something.
SELECT pattern FROM pattimpex_file
UNION SELECT pattern FROM pattimpex_attachment WHERE pattern IS NOT NULL
ORDER BY 1
