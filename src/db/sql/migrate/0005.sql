-- Channels: what is due first in each is one step in an index, and throttled ones remember their last start.
CREATE TABLE pattimpex_channel (
    name text NOT NULL PRIMARY KEY,
    last_start bigint NOT NULL
);
DROP INDEX pattimpex_job_next;
CREATE INDEX pattimpex_job_next ON pattimpex_job (channel, priority, eta, id) WHERE state = 'pending';
CREATE INDEX pattimpex_job_eta ON pattimpex_job (eta) WHERE state = 'pending';
CREATE INDEX pattimpex_job_failed_channel ON pattimpex_job (channel) WHERE state = 'failed';
