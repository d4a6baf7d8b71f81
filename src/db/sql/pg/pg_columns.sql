-- The columns of all tables and views of people, with the type beneath their domains. The sequence is the one that numbers the primary key.
WITH RECURSIVE domain (oid, base, modifier, not_null, default_text) AS (
  SELECT oid, typbasetype, typtypmod, typnotnull, typdefault FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT d.oid, t.typbasetype, CASE WHEN d.modifier = -1 THEN t.typtypmod ELSE d.modifier END, d.not_null OR t.typnotnull,
         coalesce(d.default_text, t.typdefault)
  FROM domain AS d
  JOIN pg_type AS t ON t.oid = d.base
  WHERE t.typtype = 'd'
)
SELECT CAST(a.attrelid AS bigint), a.attname, format_type(t.oid, CASE WHEN d.oid IS NULL THEN a.atttypmod ELSE d.modifier END),
       CASE WHEN t.typtype = 'e' THEN CAST(t.oid AS bigint) END,
       t.typcategory = 'A',
       a.attnotnull OR coalesce(d.not_null, false),
       CASE WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(f.adbin, f.adrelid), d.default_text) END,
       a.attgenerated <> '' OR a.attidentity = 'a',
       a.attidentity <> '',
       coalesce(array_position(CAST(i.indkey AS smallint[]), a.attnum) + 1, 0),
       col_description(a.attrelid, a.attnum),
       coalesce(co.collisdeterministic, true) AND (t.typname <> 'citext' OR lower('I') = 'i'),
       CASE WHEN i.indrelid IS NOT NULL THEN pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) END
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN domain AS d ON d.oid = a.atttypid AND NOT EXISTS (SELECT 1 FROM pg_type AS deeper WHERE deeper.oid = d.base AND deeper.typtype = 'd')
JOIN pg_type AS t ON t.oid = coalesce(d.base, a.atttypid)
LEFT JOIN pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (CAST(i.indkey AS smallint[]))
LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND (pg_table_is_visible(c.oid) OR n.nspname = ANY (CAST(? AS text[])))
  AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema' AND c.relname NOT LIKE 'pattimpex!_%' ESCAPE '!'
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
