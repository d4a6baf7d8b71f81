SELECT asked.place, e.res_id, e.model, e.res_key
FROM unnest(CAST(? AS text[]), CAST(? AS text[])) WITH ORDINALITY AS asked (module, name, place)
JOIN pattimpex_external_id AS e ON e.module = asked.module AND e.name = asked.name
