SELECT nextval(CAST(CAST(? AS text) AS regclass)) FROM generate_series(1, CAST(? AS bigint))
