-- Files that a task has seen and not taken yet.
SELECT place, identity, since FROM pattimpex_sighting WHERE task = ?
