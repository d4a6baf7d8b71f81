-- The constraints that are asked at the commit, as a list for SET CONSTRAINTS; then those whose name no other constraint of the schema has that
-- cannot be deferred.
SELECT string_agg(name, ', '), string_agg(name, ', ') FILTER (WHERE can_be_deferred)
FROM (
  SELECT format('%I.%I', n.nspname, c.conname) AS name,
         NOT EXISTS (SELECT 1 FROM pg_constraint AS other
                     WHERE other.conname = c.conname AND other.connamespace = c.connamespace AND NOT other.condeferrable) AS can_be_deferred
  FROM pg_constraint AS c
  JOIN pg_namespace AS n ON n.oid = c.connamespace
  WHERE c.condeferred
) AS deferred
