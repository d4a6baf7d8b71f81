-- Of the CHECK that pg_expression.c has made: the columns that it reads (all of them together, or one that each table has, have no name of a column),
-- functions that do more than work out a value, and whether it is several values.
SELECT 'column', coalesce(a.attname, 'the record as a whole')
FROM pg_constraint AS k
CROSS JOIN LATERAL unnest(k.conkey) AS part (number)
LEFT JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = part.number AND a.attnum > 0
WHERE k.conrelid = to_regclass('pg_temp.px_record') AND k.conname = 'px_value'
UNION ALL
SELECT 'function', p.proname
FROM pg_constraint AS k
CROSS JOIN LATERAL regexp_matches(CAST(k.conbin AS text), ':(funcid|opno) (\d+)', 'g') AS found (part)
LEFT JOIN pg_operator AS o ON o.oid = CAST(part[2] AS oid) AND part[1] = 'opno'
JOIN pg_proc AS p ON p.oid = CASE WHEN part[1] = 'opno' THEN CAST(o.oprcode AS oid) ELSE CAST(part[2] AS oid) END
WHERE k.conrelid = to_regclass('pg_temp.px_record') AND k.conname = 'px_value' AND p.provolatile = 'v'
UNION ALL
SELECT 'row', ''
FROM pg_constraint AS k
WHERE k.conrelid = to_regclass('pg_temp.px_record') AND k.conname = 'px_value' AND CAST(k.conbin AS text) LIKE '{NULLTEST :arg {ROWEXPR%'
