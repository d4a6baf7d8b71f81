-- filestore: database. Bytes in our care, or rows of a file on their way (spool:NAME/PART), in pieces; touched: when they were last added, so that what
-- is about to be named by a row is not collected.
CREATE TABLE pattimpex_blob (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    size bigint NOT NULL,
    touched bigint NOT NULL
);
CREATE TABLE pattimpex_blob_piece (
    blob_id bigint NOT NULL REFERENCES pattimpex_blob (id) ON DELETE CASCADE,
    n bigint NOT NULL,
    bytes blob NOT NULL,
    PRIMARY KEY (blob_id, n)
);
