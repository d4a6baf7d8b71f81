SELECT CAST(CAST(CAST(CAST(? AS text) AS regclass) AS oid) AS bigint)
