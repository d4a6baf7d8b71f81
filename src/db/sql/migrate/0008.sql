-- Cleaning: what has ended long ago is found and removed by indexes. blob_removed: when the bytes of an attachment were given up while its row is kept,
-- because it keeps the remote file from being imported again; 0: they are there.
ALTER TABLE pattimpex_attachment ADD COLUMN blob_removed bigint NOT NULL DEFAULT 0;
CREATE INDEX pattimpex_attachment_parent ON pattimpex_attachment (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX pattimpex_file_previous ON pattimpex_file (previous_id) WHERE previous_id IS NOT NULL;
CREATE INDEX pattimpex_file_ended ON pattimpex_file (ended);
CREATE INDEX pattimpex_job_ended ON pattimpex_job (ended) WHERE state IN ('done', 'cancelled');
DROP INDEX pattimpex_job_attachment;
CREATE INDEX pattimpex_job_attachment ON pattimpex_job (attachment_id) WHERE attachment_id IS NOT NULL;
DROP INDEX pattimpex_job_file;
CREATE INDEX pattimpex_job_file ON pattimpex_job (file_id) WHERE file_id IS NOT NULL;
