-- Which workers are at jobs of which channels.
SELECT DISTINCT channel, owner FROM pattimpex_job WHERE state = 'started'
