-- The version of our tables in this database.
SELECT max(version) FROM pattimpex_schema_version
