-- Deaths and tries before do not count any more.
UPDATE pattimpex_job SET deaths = 0, retries = 0, tries = NULL WHERE id = ?
