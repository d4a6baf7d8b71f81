-- The tasks that have left something.
SELECT task FROM pattimpex_task_state
UNION SELECT task FROM pattimpex_attachment WHERE task IS NOT NULL
UNION SELECT upload_task FROM pattimpex_attachment WHERE upload_task IS NOT NULL
UNION SELECT task FROM pattimpex_job WHERE task IS NOT NULL
ORDER BY 1
