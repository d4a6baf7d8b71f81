-- A chunk that has not been loaded yet.
INSERT INTO pattimpex_chunk (file_id, state, first_row, last_row, n_rows, n_created, n_updated, n_unchanged, n_failed, n_skipped, next_row, created, part,
    spool, spool_place)
VALUES (?, 'pending', ?, ?, ?, 0, 0, 0, 0, 0, 0, ?, ?, ?, ?)
