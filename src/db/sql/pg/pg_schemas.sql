-- The schemas that the user may look into.
SELECT nspname FROM pg_namespace WHERE has_schema_privilege(oid, 'USAGE') ORDER BY nspname COLLATE "C"
