-- Where the channels have limits one claims at a time: what it counts is not changed by another. The number is ours: "pxclaims" in ASCII.
SELECT pg_advisory_xact_lock(8104298131837017459)
