-- What people are told of: a failure, a file that is late or small. wants_mail 1: not mailed yet; mail_job: the job that mails it, with others of its
-- task; webhook_job: the job that posts it.
CREATE TABLE pattimpex_notice (
    id integer PRIMARY KEY,
    event text NOT NULL,
    task text,
    job_id bigint,
    attachment_id bigint,
    file_id bigint,
    why text,
    created bigint NOT NULL,
    wants_mail integer NOT NULL,
    mail_job bigint,
    webhook_job bigint
);
CREATE INDEX pattimpex_notice_mail ON pattimpex_notice (mail_job) WHERE wants_mail = 1;
CREATE INDEX pattimpex_notice_webhook ON pattimpex_notice (webhook_job) WHERE webhook_job IS NOT NULL;
CREATE INDEX pattimpex_notice_created ON pattimpex_notice (created);

-- When a task was last mailed about; '' is what belongs to no task.
CREATE TABLE pattimpex_mail (
    task text NOT NULL PRIMARY KEY,
    sent bigint NOT NULL
);
