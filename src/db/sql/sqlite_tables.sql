-- The tables and views of people, with the text that made them.
SELECT list.name, list.type, list.strict,
       EXISTS (SELECT 1 FROM sqlite_schema AS t WHERE t.type = 'trigger' AND t.tbl_name = list.name COLLATE NOCASE),
       made.sql
  FROM pragma_table_list AS list
  LEFT JOIN sqlite_schema AS made ON made.type IN ('table', 'view') AND made.name = list.name
 WHERE list.schema = 'main' AND list.type <> 'shadow'
   AND list.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND list.name NOT LIKE 'pattimpex!_%' ESCAPE '!'
 ORDER BY list.name
