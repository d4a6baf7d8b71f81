-- What is in our care. Times are microseconds since the epoch, UTC. Rows are never deleted by the program.

-- One file in our care. remote_key is the remote file's identity for as long as that very file must not be fetched again: while its remote action
-- is pending, or for ever when the task keeps it.
CREATE TABLE pattimpex_attachment (
    id integer PRIMARY KEY,
    direction text NOT NULL CHECK (direction IN ('import', 'export', 'error')),
    state text NOT NULL,
    name text NOT NULL,
    task text,
    upload_task text,
    pattern text,
    sha256 text NOT NULL,
    size bigint NOT NULL,
    storage text,
    path text,
    on_exists integer NOT NULL,
    parent_id bigint REFERENCES pattimpex_attachment (id),
    remote_key text,
    remote_action text NOT NULL CHECK (remote_action IN ('none', 'pending', 'taken', 'done')),
    remote_held text,
    moved_to text,
    error text,
    created bigint NOT NULL,
    changed bigint NOT NULL
);
CREATE UNIQUE INDEX pattimpex_attachment_remote ON pattimpex_attachment (task, remote_key, sha256) WHERE remote_key IS NOT NULL;
CREATE INDEX pattimpex_attachment_unsettled ON pattimpex_attachment (task) WHERE remote_action IN ('pending', 'taken');
CREATE INDEX pattimpex_attachment_pending ON pattimpex_attachment (task) WHERE state = 'pending';
CREATE INDEX pattimpex_attachment_name ON pattimpex_attachment (name);
CREATE INDEX pattimpex_attachment_content ON pattimpex_attachment (sha256);

-- An attachment read or written by a pattern, with the pattern as it was at the start.
CREATE TABLE pattimpex_file (
    id integer PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('import', 'export')),
    state text NOT NULL,
    attachment_id bigint NOT NULL REFERENCES pattimpex_attachment (id),
    previous_id bigint REFERENCES pattimpex_file (id),
    failed_only integer NOT NULL,
    task text,
    pattern text NOT NULL,
    snapshot text NOT NULL,
    snapshot_hash text NOT NULL,
    n_rows bigint NOT NULL,
    n_created bigint NOT NULL,
    n_updated bigint NOT NULL,
    n_unchanged bigint NOT NULL,
    n_failed bigint NOT NULL,
    n_skipped bigint NOT NULL,
    rows_total bigint NOT NULL,
    bytes_done bigint NOT NULL,
    bytes_total bigint NOT NULL,
    error text,
    created bigint NOT NULL,
    started bigint NOT NULL,
    ended bigint NOT NULL
);
CREATE INDEX pattimpex_file_attachment ON pattimpex_file (attachment_id);

-- Consecutive rows of a pattern file that were loaded in one transaction, and where the next ones begin. first_row 0: about the file as a
-- whole. messages is a JSON array of [row, column, field, type, message], NULL when there are none.
CREATE TABLE pattimpex_chunk (
    id integer PRIMARY KEY,
    file_id bigint NOT NULL REFERENCES pattimpex_file (id),
    state text NOT NULL,
    first_row bigint NOT NULL,
    last_row bigint NOT NULL,
    n_rows bigint NOT NULL,
    n_created bigint NOT NULL,
    n_updated bigint NOT NULL,
    n_unchanged bigint NOT NULL,
    n_failed bigint NOT NULL,
    n_skipped bigint NOT NULL,
    next_row bigint NOT NULL,
    next_place bigint,
    messages text,
    created bigint NOT NULL
);
CREATE UNIQUE INDEX pattimpex_chunk_order ON pattimpex_chunk (file_id, first_row);

-- The queue. owner is the worker that runs a started job; identity holds back a second job of the same purpose.
CREATE TABLE pattimpex_job (
    id integer PRIMARY KEY,
    kind text NOT NULL,
    channel text NOT NULL,
    priority integer NOT NULL,
    eta bigint NOT NULL,
    attempt bigint NOT NULL,
    retries integer NOT NULL,
    deaths integer NOT NULL,
    identity text,
    state text NOT NULL,
    task text,
    attachment_id bigint REFERENCES pattimpex_attachment (id),
    file_id bigint REFERENCES pattimpex_file (id),
    owner text,
    error text,
    created bigint NOT NULL,
    started bigint NOT NULL,
    ended bigint NOT NULL
);
CREATE UNIQUE INDEX pattimpex_job_identity ON pattimpex_job (identity) WHERE state IN ('pending', 'started');
CREATE INDEX pattimpex_job_next ON pattimpex_job (priority, eta, id) WHERE state = 'pending';
CREATE INDEX pattimpex_job_started ON pattimpex_job (owner) WHERE state = 'started';
CREATE INDEX pattimpex_job_failed ON pattimpex_job (ended) WHERE state = 'failed';
CREATE INDEX pattimpex_job_attachment ON pattimpex_job (attachment_id) WHERE state IN ('pending', 'started');

-- What is known of a task besides its configuration. enabled NULL: as configured.
CREATE TABLE pattimpex_task_state (
    task text NOT NULL PRIMARY KEY,
    enabled integer,
    last_run bigint NOT NULL,
    last_state text NOT NULL,
    last_error text
);
