INSERT INTO pattimpex_external_id (module, name, model, res_id, res_key)
SELECT module, name, ?, coalesce(id, 0), key
FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS text[])) AS given (module, name, id, key)
