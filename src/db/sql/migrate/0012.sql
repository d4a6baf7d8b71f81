-- Several machines. Who works on the database, where that is a server: lease is until when the worker is held to live if nothing more is heard of it, in
-- microseconds of the server's clock; job_id, doing: what it is at; stopped 1: it was told to end. On SQLite workers are known by their lock files.
CREATE TABLE pattimpex_worker (
    name text NOT NULL PRIMARY KEY,
    host text NOT NULL,
    what text NOT NULL,
    stopped integer NOT NULL,
    job_id bigint NOT NULL,
    doing text NOT NULL,
    lease bigint NOT NULL
);
