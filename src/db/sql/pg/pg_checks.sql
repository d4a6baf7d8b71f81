-- The CHECK constraints of tables, and those of the domains of their columns, where VALUE is the column that is named.
WITH RECURSIVE domain (oid, beneath) AS (
  SELECT oid, oid FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT d.oid, t.typbasetype FROM domain AS d JOIN pg_type AS t ON t.oid = d.beneath WHERE t.typtype = 'd'
), shown (oid) AS (
  SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE (pg_table_is_visible(c.oid) OR n.nspname = ANY (CAST(? AS text[])))
    AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema'
)
SELECT CAST(k.conrelid AS bigint) AS table, k.conname, pg_get_expr(k.conbin, k.conrelid), NULL, k.oid
FROM pg_constraint AS k
JOIN shown ON shown.oid = k.conrelid
WHERE k.contype = 'c'
UNION ALL
SELECT CAST(a.attrelid AS bigint), k.conname, pg_get_expr(k.conbin, 0), a.attname, k.oid
FROM pg_attribute AS a
JOIN domain AS d ON d.oid = a.atttypid
JOIN pg_constraint AS k ON k.contypid = d.beneath AND k.contype = 'c'
JOIN shown ON shown.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, 5
