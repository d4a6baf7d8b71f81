-- GRANT SET ON PARAMETER: since PostgreSQL 15.
SELECT has_parameter_privilege('session_replication_role', 'SET')
