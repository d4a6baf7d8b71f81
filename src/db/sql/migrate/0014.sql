-- Counters have shards, so that those who count at once need not wait for one another; what is counted is the sum.
ALTER TABLE pattimpex_counter RENAME TO pattimpex_counter_before;
CREATE TABLE pattimpex_counter (
    subject text NOT NULL,
    kind text NOT NULL,
    task text NOT NULL,
    outcome text NOT NULL,
    shard integer NOT NULL,
    n bigint NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (subject, kind, task, outcome, shard)
);
INSERT INTO pattimpex_counter (subject, kind, task, outcome, shard, n, amount)
SELECT subject, kind, task, outcome, 0, n, amount FROM pattimpex_counter_before;
DROP TABLE pattimpex_counter_before;

-- Where the database is a server: which worker leads what only one is to do at a time, for as long as its lease holds.
CREATE TABLE pattimpex_leader (
    role text NOT NULL PRIMARY KEY,
    owner text NOT NULL
);
