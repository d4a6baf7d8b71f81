-- What has happened since the tables were made, counted in the transactions in which it happens; rows are never removed, whatever is cleaned. subject:
-- what is counted; kind: of the job or file, or the storage that it is about; task '': by hand; outcome: the state in which it ended, or '';
-- amount: bytes or microseconds beside the number n.
CREATE TABLE pattimpex_counter (
    subject text NOT NULL,
    kind text NOT NULL,
    task text NOT NULL,
    outcome text NOT NULL,
    n bigint NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (subject, kind, task, outcome)
);
-- For those who look at the whole: what waits and what failed is found without a look at what has ended.
CREATE INDEX pattimpex_job_waiting ON pattimpex_job (channel) WHERE state = 'waiting';
CREATE INDEX pattimpex_file_failed ON pattimpex_file (ended) WHERE state IN ('failed', 'refused');
CREATE INDEX pattimpex_attachment_failed ON pattimpex_attachment (changed) WHERE state IN ('failed', 'refused');
CREATE INDEX pattimpex_attachment_tally ON pattimpex_attachment (task, state, direction);
