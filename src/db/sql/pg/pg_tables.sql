-- The tables and views of people that the search path finds without a schema, and those of other schemas, with them. changes_rows: triggers, rules or row-level security may do what was not asked.
SELECT CAST(c.oid AS bigint), c.relname, CAST(c.relkind AS text), c.relispartition,
       EXISTS (SELECT 1 FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) OR c.relrowsecurity
         OR (c.relhasrules AND c.relkind IN ('r', 'p')) AS changes_rows,
       obj_description(c.oid, 'pg_class'),
       has_any_column_privilege(c.oid, 'SELECT'),
       CASE WHEN NOT pg_table_is_visible(c.oid) THEN n.nspname END
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND (pg_table_is_visible(c.oid) OR n.nspname = ANY (CAST(? AS text[])))
  AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema' AND c.relname NOT LIKE 'pattimpex!_%' ESCAPE '!'
ORDER BY c.relname COLLATE "C", n.nspname COLLATE "C"
