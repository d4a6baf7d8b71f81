-- Which of these tasks have pending attachments that no job works on (attachment_waiting.sql), by their places from 1.
SELECT given.place
FROM unnest(CAST(? AS text[])) WITH ORDINALITY AS given (task, place)
WHERE EXISTS (
    SELECT 1
    FROM pattimpex_attachment AS a
    WHERE a.state = 'pending'
      AND (a.direction <> 'import' OR a.pattern IS NOT NULL)
      AND coalesce(a.upload_task, a.task) = given.task
      AND NOT EXISTS (SELECT 1 FROM pattimpex_job AS j WHERE j.attachment_id = a.id AND j.state IN ('waiting', 'pending', 'started')))
