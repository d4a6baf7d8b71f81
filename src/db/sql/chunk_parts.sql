-- The parts of a file in which there are messages.
SELECT DISTINCT part FROM pattimpex_chunk WHERE file_id = ? AND messages IS NOT NULL
