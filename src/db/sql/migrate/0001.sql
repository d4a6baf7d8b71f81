-- External ids: stable text names of records ("module.name"). model is the name of the table.
CREATE TABLE pattimpex_external_id (
    module text NOT NULL,
    name text NOT NULL,
    model text NOT NULL,
    res_id bigint NOT NULL,
    PRIMARY KEY (module, name)
);
CREATE INDEX pattimpex_external_id_record ON pattimpex_external_id (model, res_id);
