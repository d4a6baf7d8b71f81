-- The foreign keys between tables that the search path finds, a row a column.
SELECT CAST(k.conrelid AS bigint), CAST(k.oid AS bigint), target.relname, own.attname, other.attname
FROM pg_constraint AS k
JOIN pg_class AS target ON target.oid = k.confrelid
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair (own, other, place)
JOIN pg_attribute AS own ON own.attrelid = k.conrelid AND own.attnum = pair.own
JOIN pg_attribute AS other ON other.attrelid = k.confrelid AND other.attnum = pair.other
WHERE k.contype = 'f' AND k.conparentid = 0 AND pg_table_is_visible(k.conrelid) AND pg_table_is_visible(k.confrelid)
ORDER BY k.conrelid, k.oid, pair.place
