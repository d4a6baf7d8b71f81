-- Jobs that wait for others. waits counts the open needs of a job; at 0 a waiting job becomes pending.
ALTER TABLE pattimpex_job ADD COLUMN waits bigint NOT NULL DEFAULT 0;

-- job_id waits for needs_id: until that is done or, with when_ended, until it has ended in any way. is_open 0: it has.
CREATE TABLE pattimpex_job_need (
    needs_id bigint NOT NULL REFERENCES pattimpex_job (id),
    job_id bigint NOT NULL REFERENCES pattimpex_job (id),
    when_ended integer NOT NULL,
    is_open integer NOT NULL,
    PRIMARY KEY (needs_id, job_id)
);
CREATE INDEX pattimpex_job_need_job ON pattimpex_job_need (job_id);

DROP INDEX pattimpex_job_identity;
CREATE UNIQUE INDEX pattimpex_job_identity ON pattimpex_job (identity) WHERE state IN ('waiting', 'pending', 'started');
DROP INDEX pattimpex_job_attachment;
CREATE INDEX pattimpex_job_attachment ON pattimpex_job (attachment_id) WHERE state IN ('waiting', 'pending', 'started');
CREATE INDEX pattimpex_job_file ON pattimpex_job (file_id) WHERE state IN ('waiting', 'pending', 'started');
