-- One migrates, the others wait; until the end of the transaction. The number is ours alone: "pattimpe" in ASCII.
SELECT pg_advisory_xact_lock(8097881648322670693)
