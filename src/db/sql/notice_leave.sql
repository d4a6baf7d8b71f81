-- A mail that could not be sent keeps the next one about its task away no more, whoever tries it again.
UPDATE pattimpex_job SET identity = ? WHERE id = ?
