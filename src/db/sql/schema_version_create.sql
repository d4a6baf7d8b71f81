-- Which migrations this database has seen; times are UTC.
CREATE TABLE pattimpex_schema_version (
    version integer NOT NULL PRIMARY KEY,
    applied_at timestamp NOT NULL
);
