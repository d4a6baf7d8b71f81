-- Files that may still be written to are as they are since then (sighting_store.sql).
INSERT INTO pattimpex_sighting (task, place, identity, since)
SELECT DISTINCT ON (given.place) CAST(? AS text), given.place, given.identity, given.since
FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[])) AS given (place, identity, since)
ORDER BY given.place
ON CONFLICT (task, place) DO UPDATE SET identity = excluded.identity, since = excluded.since
