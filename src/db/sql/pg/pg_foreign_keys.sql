-- The foreign keys of tables that the search path finds, or that are in one of the schemas, a row a column.
SELECT CAST(k.conrelid AS bigint), CAST(k.oid AS bigint), CAST(k.confrelid AS bigint), own.attname, other.attname
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair (own, other, place)
JOIN pg_attribute AS own ON own.attrelid = k.conrelid AND own.attnum = pair.own
JOIN pg_attribute AS other ON other.attrelid = k.confrelid AND other.attnum = pair.other
WHERE k.contype = 'f' AND k.conparentid = 0 AND (pg_table_is_visible(c.oid) OR n.nspname = ANY (CAST(? AS text[])))
ORDER BY k.conrelid, k.oid, pair.place
