-- External ids of records whose key is no integer but a uuid: res_key is it, and res_id is 0.
ALTER TABLE pattimpex_external_id ADD COLUMN res_key text;
CREATE INDEX pattimpex_external_id_key ON pattimpex_external_id (model, res_key) WHERE res_key IS NOT NULL;
