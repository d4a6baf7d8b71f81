-- As claim_lock.sql, but without waiting: 0 when another one is claiming in one of them.
SELECT CASE WHEN bool_and(pg_try_advisory_xact_lock(hashtextextended(name, 8104298131837017459))) THEN 1 ELSE 0 END
FROM unnest(CAST(? AS text[])) AS channel (name)
