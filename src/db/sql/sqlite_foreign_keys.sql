-- The foreign keys of a table as they were declared, a row a column; no target column: the primary key.
SELECT seq, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq
