-- What changes when a table gets another trigger, foreign key or constraint that can be deferred: each of them has a trigger.
SELECT count(*), coalesce(max(CAST(t.oid AS bigint)), 0) FROM pg_trigger AS t WHERE t.tgrelid = CAST(CAST(? AS text) AS regclass)
