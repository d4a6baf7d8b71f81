-- The UNIQUE constraints and indexes of a table.
SELECT name, origin = 'pk', partial FROM pragma_index_list(?) WHERE "unique" ORDER BY seq DESC
