-- Pattern files by state, task and kind (each NULL: all), part of the error and time, newest first.
SELECT f.id, f.kind, f.state, f.attachment_id, f.previous_id, f.failed_only, f.task, a.name, f.pattern, f.snapshot, f.snapshot_hash, f.n_rows, f.n_created,
    f.n_updated, f.n_unchanged, f.n_failed, f.n_skipped, f.rows_total, f.bytes_done, f.bytes_total, f.error, f.created, f.started, f.ended
FROM pattimpex_file AS f
JOIN pattimpex_attachment AS a ON a.id = f.attachment_id
WHERE (CAST(? AS text) IS NULL OR f.state = ?)
  AND (CAST(? AS text) IS NULL OR f.task = ?)
  AND (CAST(? AS text) IS NULL OR f.kind = ?)
  AND (CAST(? AS text) IS NULL OR lower(f.error) LIKE ? ESCAPE '\')
  AND CASE WHEN f.ended > 0 THEN f.ended ELSE f.created END >= ?
ORDER BY f.id DESC
LIMIT ?
