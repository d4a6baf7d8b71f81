-- Why new rows of a table may not be written with session_replication_role = replica: what else than its foreign keys that would skip, and what the
-- user may not do.
WITH own AS (SELECT c.oid, c.relkind, c.relrowsecurity, c.relhasrules FROM pg_class AS c WHERE c.oid = CAST(CAST(? AS text) AS regclass)),
types AS (SELECT a.atttypid AS oid FROM own JOIN pg_attribute AS a ON a.attrelid = own.oid AND a.attnum > 0 AND NOT a.attisdropped),
code AS (
  SELECT CAST('pg_attrdef' AS regclass) AS class, d.oid AS object FROM own JOIN pg_attrdef AS d ON d.adrelid = own.oid
  UNION ALL
  SELECT CAST('pg_constraint' AS regclass), k.oid FROM own JOIN pg_constraint AS k ON k.conrelid = own.oid WHERE k.contype = 'c'
  UNION ALL
  SELECT CAST('pg_constraint' AS regclass), k.oid FROM types JOIN pg_constraint AS k ON k.contypid = types.oid
  UNION ALL
  SELECT CAST('pg_type' AS regclass), types.oid FROM types
)
SELECT 'it has the trigger ' || t.tgname FROM own JOIN pg_trigger AS t ON t.tgrelid = own.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'it has rules' FROM own WHERE own.relhasrules
UNION ALL
SELECT 'it has row-level security' FROM own WHERE own.relrowsecurity
UNION ALL
SELECT 'it is partitioned' FROM own WHERE own.relkind <> 'r'
UNION ALL
SELECT 'its constraint ' || k.conname || ' can be deferred, so a trigger keeps it'
FROM own JOIN pg_constraint AS k ON k.conrelid = own.oid WHERE k.contype IN ('p', 'u', 'x') AND k.condeferrable
UNION ALL
SELECT 'the type of its column ' || a.attname || ' has a default'
FROM own
JOIN pg_constraint AS k ON k.conrelid = own.oid AND k.contype = 'f'
JOIN pg_attribute AS a ON a.attrelid = own.oid AND a.attnum = ANY (k.conkey)
JOIN pg_type AS t ON t.oid = a.atttypid WHERE t.typdefault IS NOT NULL
UNION ALL
SELECT DISTINCT 'a default or check of it calls ' || CAST(p.oid AS regprocedure)
  || ', which may write to other tables: declare it STABLE or IMMUTABLE if it does not'
FROM code
JOIN pg_depend AS d ON d.classid = code.class AND d.objid = code.object AND d.refclassid = CAST('pg_proc' AS regclass)
JOIN pg_proc AS p ON p.oid = d.refobjid
JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.provolatile = 'v' AND l.lanname NOT IN ('internal', 'c')
UNION ALL
SELECT DISTINCT 'the user of the database URL may not lock rows of ' || CAST(k.confrelid AS regclass)
  || ', which it refers to: GRANT UPDATE on a column of it'
FROM own JOIN pg_constraint AS k ON k.conrelid = own.oid AND k.contype = 'f' WHERE NOT has_any_column_privilege(k.confrelid, 'UPDATE')
