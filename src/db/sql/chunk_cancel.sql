-- Nobody goes on with the rest of a file.
UPDATE pattimpex_chunk SET state = 'cancelled' WHERE file_id = ? AND state = 'pending'
