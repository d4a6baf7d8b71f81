-- The columns that some index of a table begins with: a search by one of them need not read the whole table.
SELECT a.attname
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass(?) AND i.indpred IS NULL AND i.indisvalid
