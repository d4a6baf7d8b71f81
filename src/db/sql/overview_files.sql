-- Files in our care by task and state; error files are no files of a task. A file whose last try left rows out has failed: it is not done.
SELECT coalesce(task, ''), sum(pending), sum(failed), sum(done)
FROM (
    SELECT task, CASE WHEN state = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN state IN ('failed', 'refused') THEN 1 ELSE 0 END AS failed,
        CASE WHEN state = 'done' THEN 1 ELSE 0 END AS done
    FROM pattimpex_attachment
    WHERE direction IN ('import', 'export')
    UNION ALL
    SELECT a.task, 0, 1, -1
    FROM pattimpex_file AS f
    JOIN pattimpex_attachment AS a ON a.id = f.attachment_id
    WHERE f.state = 'failed' AND a.state = 'done' AND NOT EXISTS (SELECT 1 FROM pattimpex_file AS n WHERE n.previous_id = f.id)) AS files
GROUP BY coalesce(task, '')
ORDER BY 1
