-- One claims at a time in each of these channels, in their order: what it counts is not changed by another. The number is ours: "pxclaims" in ASCII.
SELECT count(pg_advisory_xact_lock(hashtextextended(name, 8104298131837017459)))
FROM unnest(CAST(? AS text[])) AS channel (name)
