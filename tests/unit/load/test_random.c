/* SPDX-License-Identifier: Apache-2.0 */
/* The outcome is always that of loading the rows one by one: random small files over few values, so that keys are renamed, chains refer,
 * unique values are freed and taken again, keys repeat and rows are bad; loaded whole, in chunks and row by row. */
#include "fixture.h"

#define MAX_LINES 40

/* Tables whose rules differ; all have the same columns. */
static const char *const schemas[] = {
    "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT NOT NULL, grp TEXT, num INTEGER UNIQUE, amount NUMERIC DEFAULT 1,"
    " parent_id INTEGER REFERENCES r (id), other_id INTEGER REFERENCES o (id), flag BOOLEAN DEFAULT TRUE, UNIQUE (grp, name), CHECK (name <> 'X'));",
    "CREATE TABLE r (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT COLLATE NOCASE, name TEXT DEFAULT 'n1' NOT NULL, grp TEXT, num INTEGER,"
    " amount NUMERIC, parent_id INTEGER REFERENCES r (id), other_id INTEGER REFERENCES o (id), flag BOOLEAN, CHECK (num <> 3));"
    "CREATE UNIQUE INDEX hidden ON r (grp) WHERE num IS NOT NULL;",
    "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT, grp TEXT, num INTEGER NOT NULL DEFAULT 2, amount NUMERIC,"
    " parent_id INTEGER UNIQUE REFERENCES r (id) DEFERRABLE INITIALLY DEFERRED, other_id INTEGER REFERENCES o (id), flag BOOLEAN, UNIQUE (name, num));",
    "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT, name TEXT, grp TEXT, num INTEGER, amount NUMERIC,"
    " parent_id INTEGER REFERENCES r (id), other_id INTEGER REFERENCES o (id), flag BOOLEAN);"
    "CREATE TRIGGER t AFTER INSERT ON r BEGIN UPDATE r SET grp = new.code WHERE id = new.parent_id; END;"
    "CREATE TRIGGER e BEFORE UPDATE ON r WHEN new.name = 'X' BEGIN SELECT RAISE(ROLLBACK, 'no X'); END;",
    "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT, grp TEXT, num INTEGER, amount NUMERIC, parent_id INTEGER REFERENCES r (id),"
    " other_id INTEGER REFERENCES o (id), flag BOOLEAN, both TEXT AS (name || grp) UNIQUE);",
};

static const char *const headers[] = {
    "code#key;name;grp;num;parent_id|code;other_id|name",
    "code#key;code;name;parent_id|name",
    ".id;code#key;name;num;grp",
    "name#key;grp#key;num;parent_id|code;parent_id|name",
    "id;code;name;parent_id|id;flag",
    "parent_id#key|code;name#key;num;amount",
    "code#key;name;num;parent_id|parent_id|code",
    "num#key;code;grp;name;parent_id|.id",
    "code;name;grp;num",
    ".id;id;code;name;parent_id|num",
    "grp#key;parent_id|grp;name;other_id|name;amount",
};

static const char *pick(GRand *random, const char *const *values, gint32 n) {
  return values[g_rand_int_range(random, 0, n)];
}

static const char *cell_for(GRand *random, const char *header) {
  static const char *const codes[] = {"a", "b", "c", "A", "d", ""};
  static const char *const names[] = {"n1", "n2", "n3", "X", ""};
  static const char *const groups[] = {"g1", "g2", ""};
  static const char *const numbers[] = {"1", "2", "3", "bad", ""};
  static const char *const ids[] = {"1", "2", "3", "5", "7", "", ""};
  static const char *const externals[] = {"x.a", "x.b", "c", ""};
  static const char *const flags[] = {"1", "no", "maybe", ""};
  if (strstr(header, "code"))
    return pick(random, codes, G_N_ELEMENTS(codes));
  if (strstr(header, "other_id"))
    return pick(random, groups, G_N_ELEMENTS(groups));
  if (strstr(header, "name"))
    return pick(random, names, G_N_ELEMENTS(names));
  if (strstr(header, "grp"))
    return pick(random, groups, G_N_ELEMENTS(groups));
  if (strstr(header, "num") || strstr(header, "amount"))
    return pick(random, numbers, G_N_ELEMENTS(numbers));
  if (strstr(header, ".id"))
    return pick(random, ids, G_N_ELEMENTS(ids));
  if (strstr(header, "flag"))
    return pick(random, flags, G_N_ELEMENTS(flags));
  return pick(random, externals, G_N_ELEMENTS(externals));
}

static char *random_line(GRand *random, char **names) {
  GString *line = g_string_new(NULL);
  for (char **name = names; *name; name++)
    g_string_append_printf(line, "%s%s", name == names ? "" : ";", cell_for(random, *name));
  return g_string_free(line, FALSE);
}

static char *start_sql(GRand *random, const char *schema) {
  GString *sql = g_string_new("CREATE TABLE o (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO o (name) VALUES ('g1'), ('g2'), ('g2');");
  g_string_append(sql, schema);
  for (int i = 1; i <= 4; i++)
    if (g_rand_boolean(random))
      g_string_append_printf(sql, "INSERT OR IGNORE INTO r (id, code, name, grp, num, parent_id) VALUES (%d, '%c', 'n%d', 'g%d', %d, NULL);", i,
                             'a' + i - 1, i, g_rand_int_range(random, 1, 3), 10 + i);
  return g_string_free(sql, FALSE);
}

/* Everything that loading left: the records, the external ids, the messages and the counts. */
static char *result_of(const char *sql, char **lines, size_t n_lines, size_t chunk_rows, bool row_by_row) {
  Fixture fixture;
  fixture_open(&fixture, sql, "r");
  Outcome outcome = fixture_load(&fixture, (const char *const *)lines, n_lines, chunk_rows, row_by_row);
  g_autofree char *records = fixture_query(&fixture, "SELECT * FROM r ORDER BY id");
  g_autofree char *externals = fixture_query(&fixture, "SELECT * FROM pattimpex_external_id ORDER BY 1, 2");
  char *text = g_strdup_printf("%s%s%s%s created %" G_GUINT64_FORMAT " updated %" G_GUINT64_FORMAT " unchanged %" G_GUINT64_FORMAT
                               " failed %" G_GUINT64_FORMAT " skipped %" G_GUINT64_FORMAT "\n",
                               records, externals, outcome.messages, outcome.error ? outcome.error : "", outcome.counts.created,
                               outcome.counts.updated, outcome.counts.unchanged, outcome.counts.failed, outcome.counts.skipped);
  outcome_done(&outcome);
  fixture_close(&fixture);
  return text;
}

static void compare_ways(const char *sql, char **lines, size_t n_lines, guint32 seed) {
  g_autofree char *expected = result_of(sql, lines, n_lines, 1, true);
  static const size_t chunks[] = {0, 1, 3, 7};
  for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
    g_autofree char *got = result_of(sql, lines, n_lines, chunks[i], false);
    if (strcmp(expected, got) == 0)
      continue;
    g_autofree char *file = g_strjoinv("\n", lines);
    g_test_message("seed %u, chunks of %zu rows\n%s\n%s\n-- one by one:\n%s-- in waves:\n%s", seed, chunks[i], sql, file, expected, got);
    g_test_fail();
    return;
  }
}

static void test_seed(guint32 seed) {
  g_autoptr(GRand) random = g_rand_new_with_seed(seed);
  const char *header = pick(random, headers, G_N_ELEMENTS(headers));
  g_auto(GStrv) names = g_strsplit(header, ";", -1);
  g_autofree char *sql = start_sql(random, pick(random, schemas, G_N_ELEMENTS(schemas)));
  size_t n_lines = (size_t)g_rand_int_range(random, 2, MAX_LINES);
  g_auto(GStrv) lines = g_new0(char *, n_lines + 1);
  lines[0] = g_strdup(header);
  for (size_t i = 1; i < n_lines; i++)
    lines[i] = random_line(random, names);
  compare_ways(sql, lines, n_lines, seed);
}

/* PATTIMPEX_SEED=N runs that one alone; PATTIMPEX_ROUNDS=N so many. */
static void test_one_by_one(void) {
  const char *only = g_getenv("PATTIMPEX_SEED");
  const char *rounds = g_getenv("PATTIMPEX_ROUNDS");
  guint32 n = rounds ? (guint32)g_ascii_strtoull(rounds, NULL, 10) : 400;
  if (only) {
    test_seed((guint32)g_ascii_strtoull(only, NULL, 10));
    return;
  }
  for (guint32 seed = 1; seed <= n && !g_test_failed(); seed++)
    test_seed(seed);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/load/random/waves_are_as_one_by_one", test_one_by_one);
  return g_test_run();
}
