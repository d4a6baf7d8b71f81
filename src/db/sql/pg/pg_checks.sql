-- The CHECK constraints of tables, and those of the domains of their columns, where VALUE is the column that is named.
WITH RECURSIVE domain (oid, beneath) AS (
  SELECT oid, oid FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT d.oid, t.typbasetype FROM domain AS d JOIN pg_type AS t ON t.oid = d.beneath WHERE t.typtype = 'd'
)
SELECT CAST(k.conrelid AS bigint) AS table, k.conname, pg_get_expr(k.conbin, k.conrelid), NULL, k.oid
FROM pg_constraint AS k
WHERE k.contype = 'c' AND k.conrelid <> 0 AND pg_table_is_visible(k.conrelid)
UNION ALL
SELECT CAST(a.attrelid AS bigint), k.conname, pg_get_expr(k.conbin, 0), a.attname, k.oid
FROM pg_attribute AS a
JOIN domain AS d ON d.oid = a.atttypid
JOIN pg_constraint AS k ON k.contypid = d.beneath AND k.contype = 'c'
WHERE a.attnum > 0 AND NOT a.attisdropped AND pg_table_is_visible(a.attrelid)
ORDER BY 1, 5
