-- A planned chunk has been loaded in this transaction.
UPDATE pattimpex_chunk
SET state = 'done', n_rows = ?, n_created = ?, n_updated = ?, n_unchanged = ?, n_failed = ?, n_skipped = ?, messages = ?, created = ?
WHERE id = ?
