-- The job that holds an identity.
SELECT id, state, eta FROM pattimpex_job WHERE identity = ? AND state IN ('waiting', 'pending', 'started')
