-- The pending job of a channel that is first in line, due or not.
SELECT id, priority, eta, task FROM pattimpex_job WHERE state = 'pending' AND channel = ? ORDER BY priority, id LIMIT 1
