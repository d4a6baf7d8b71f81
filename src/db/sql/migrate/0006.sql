-- Chunks that are known before they are loaded: those of a file whose rows are spread over several parts (process_multi). part: from 1, 0 where a
-- file is loaded from its beginning to its end; spool, spool_place: where the rows are kept; job_id: the job that loads them, once it is its turn.
-- state pending: not loaded yet, n_rows is how many there are.
ALTER TABLE pattimpex_chunk ADD COLUMN part integer NOT NULL DEFAULT 0;
ALTER TABLE pattimpex_chunk ADD COLUMN spool text;
ALTER TABLE pattimpex_chunk ADD COLUMN spool_place bigint;
ALTER TABLE pattimpex_chunk ADD COLUMN job_id bigint;
CREATE INDEX pattimpex_chunk_job ON pattimpex_chunk (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX pattimpex_chunk_next ON pattimpex_chunk (file_id, part, first_row) WHERE state = 'pending';
CREATE INDEX pattimpex_chunk_spool ON pattimpex_chunk (spool) WHERE state = 'pending';
