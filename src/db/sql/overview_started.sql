-- The jobs that workers are at, with the name of the file that each works on.
SELECT j.id, j.kind, j.task, j.owner, j.started, coalesce(a.name, b.name)
FROM pattimpex_job AS j
LEFT JOIN pattimpex_attachment AS a ON a.id = j.attachment_id
LEFT JOIN pattimpex_file AS f ON f.id = j.file_id
LEFT JOIN pattimpex_attachment AS b ON b.id = f.attachment_id
WHERE j.state = 'started'
ORDER BY j.id
