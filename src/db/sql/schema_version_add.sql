-- A migration has been applied.
INSERT INTO pattimpex_schema_version (version, applied_at) VALUES (?, CURRENT_TIMESTAMP)
