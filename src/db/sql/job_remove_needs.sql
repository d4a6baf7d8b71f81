-- What a job that is removed waited for, and what waited for it.
DELETE FROM pattimpex_job_need WHERE needs_id = ? OR job_id = ?
