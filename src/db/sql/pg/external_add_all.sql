INSERT INTO pattimpex_external_id (module, name, model, res_id)
SELECT module, name, ?, id FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[])) AS given (module, name, id)
