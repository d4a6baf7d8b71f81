-- A job of a throttled channel is claimed; by the server's clock, whatever the worker's says.
INSERT INTO pattimpex_channel (name, last_start)
SELECT c.name, CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) FROM (SELECT CAST(? AS text) AS name, CAST(? AS bigint) AS told) AS c
ON CONFLICT (name) DO UPDATE SET last_start = excluded.last_start
