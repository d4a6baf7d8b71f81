-- The times at which a task was due and what became of them; kind is the kind of the job that is due (fetch, export, process). state begin: counting
-- begins there. schedule is what was written then: another one begins to count anew. Old rows are removed.
CREATE TABLE pattimpex_due (
    task text NOT NULL,
    kind text NOT NULL,
    due bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('begin', 'queued', 'skipped', 'missed')),
    schedule text NOT NULL,
    decided bigint NOT NULL,
    PRIMARY KEY (task, kind, due)
);
