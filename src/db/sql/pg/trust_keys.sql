-- The foreign keys of a table: the columns of those that have one, and the table that they refer to.
SELECT k.conname, own.attname, CAST(k.confrelid AS bigint), other.attname
FROM pg_constraint AS k
LEFT JOIN pg_attribute AS own ON cardinality(k.conkey) = 1 AND own.attrelid = k.conrelid AND own.attnum = k.conkey[1]
LEFT JOIN pg_attribute AS other ON cardinality(k.confkey) = 1 AND other.attrelid = k.confrelid AND other.attnum = k.confkey[1]
WHERE k.contype = 'f' AND k.conrelid = CAST(CAST(? AS text) AS regclass)
ORDER BY k.oid
