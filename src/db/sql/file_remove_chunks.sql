-- The chunks of a pattern file that is removed.
DELETE FROM pattimpex_chunk WHERE file_id = ?
