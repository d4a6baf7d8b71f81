-- Mostly one row: a run of numbers in the order in which they were taken, a row each where the sequence counts by more than one.
SELECT min(number), count(*)
FROM (SELECT nextval(CAST(? AS regclass)) AS number, place FROM generate_series(1, CAST(? AS bigint)) AS place OFFSET 0) AS taken
GROUP BY number - place
ORDER BY min(place)
