-- The UNIQUE constraints and indexes of a table; sql: of an index that people made.
SELECT list.name, list.origin = 'pk', list.partial, made.sql
  FROM pragma_index_list(?) AS list
  LEFT JOIN sqlite_schema AS made ON made.type = 'index' AND made.name = list.name
 WHERE list."unique"
 ORDER BY list.seq DESC
