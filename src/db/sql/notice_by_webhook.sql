-- The job that posts it.
UPDATE pattimpex_notice SET webhook_job = ? WHERE id = ?
