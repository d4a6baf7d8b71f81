-- A chunk that has been loaded in this transaction.
INSERT INTO pattimpex_chunk (file_id, state, first_row, last_row, n_rows, n_created, n_updated, n_unchanged, n_failed, n_skipped, next_row, next_place,
    messages, created)
VALUES (?, 'done', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
