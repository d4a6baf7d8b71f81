-- Files of storages that may still be written to: since is when, by our clock, each was first listed with this size and time (identity). A file is
-- taken when it has stayed the same for long enough; then, or when it is gone, its row is removed.
CREATE TABLE pattimpex_sighting (
    task text NOT NULL,
    place text NOT NULL,
    identity text NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (task, place)
);
