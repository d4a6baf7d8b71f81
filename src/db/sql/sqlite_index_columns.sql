-- What an index compares; no name: an expression.
SELECT name, coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno
