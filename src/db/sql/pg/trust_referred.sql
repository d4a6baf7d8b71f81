-- The foreign keys that refer to other columns of a table than its id: when these change, triggers keep them, or follow.
SELECT count(*)
FROM pg_constraint AS k
JOIN pg_attribute AS id ON id.attrelid = k.confrelid AND id.attname = ?
WHERE k.contype = 'f' AND k.confrelid = CAST(CAST(? AS text) AS regclass) AND k.confkey <> ARRAY[id.attnum]
