-- What a job said each time that it failed: a JSON array of [message, how often, first time, last time].
ALTER TABLE pattimpex_job ADD COLUMN tries text;
