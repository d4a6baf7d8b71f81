-- Whether a column has the values of its sequence where nothing else is said. 1: the table, 2: the column, 3: the sequence
SELECT EXISTS (
  SELECT 1
  FROM pg_attribute AS a
  LEFT JOIN pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
  WHERE a.attrelid = CAST(CAST(? AS text) AS regclass) AND a.attname = CAST(? AS name)
    AND (a.attidentity <> ''
         OR pg_get_expr(f.adbin, f.adrelid) = format('nextval(%L::regclass)', CAST(CAST(CAST(? AS text) AS regclass) AS text)))
)
