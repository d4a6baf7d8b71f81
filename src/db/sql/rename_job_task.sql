-- renamed_from: the jobs of one task are another's, and so are the identities that name it, but for those that a job of this one has by now.
UPDATE pattimpex_job
SET task = ?, identity = CASE
    WHEN identity = kind || ':' || CAST(? AS text) AND NOT EXISTS (
        SELECT 1 FROM pattimpex_job AS other
        WHERE other.identity = pattimpex_job.kind || ':' || CAST(? AS text) AND other.state IN ('waiting', 'pending', 'started'))
    THEN kind || ':' || CAST(? AS text)
    ELSE identity END
WHERE task = ?
