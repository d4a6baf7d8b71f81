-- What is unique, or excludes, in tables of people, a row a column; no name of a column: an expression. is_plain: over all rows, NULL differing
-- from NULL (a column that only PostgreSQL 15 has says so); same: the column is compared as it is elsewhere. The text is what stands behind ON TABLE USING METHOD.
SELECT CAST(i.indrelid AS bigint), index.relname, i.indisprimary,
       i.indisunique AND i.indpred IS NULL AND coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false' AS is_plain,
       a.attname, coalesce(a.attcollation = part.compared, false) AS same,
       regexp_replace(coalesce(pg_get_constraintdef(x.oid), pg_get_indexdef(i.indexrelid)), '^.*? USING \w+ ', '')
FROM pg_index AS i
JOIN pg_class AS index ON index.oid = i.indexrelid
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(CAST(i.indkey AS smallint[]), CAST(i.indcollation AS oid[])) WITH ORDINALITY AS part (number, compared, place)
LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = part.number AND part.number > 0
LEFT JOIN pg_constraint AS x ON x.conindid = i.indexrelid AND x.contype = 'x'
WHERE (i.indisunique OR i.indisexclusion) AND i.indisvalid AND part.place <= i.indnkeyatts
  AND (pg_table_is_visible(i.indrelid) OR n.nspname = ANY (CAST(? AS text[])))
  AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema' AND c.relname NOT LIKE 'pattimpex!_%' ESCAPE '!'
ORDER BY i.indrelid, i.indexrelid, part.place
