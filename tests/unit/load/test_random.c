/* SPDX-License-Identifier: Apache-2.0 */
/* The outcome is always that of loading the rows one by one: random small files over few values, so that keys are renamed, chains refer,
 * unique values are freed and taken again, keys repeat and rows are bad; loaded whole, in chunks and row by row. */
#include "fixture.h"

#include "postgres.h"

#define MAX_LINES 40

/* Tables whose rules differ; all have the same columns. */
static const char *const schemas[] = {
  "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT NOT NULL, grp TEXT, num INTEGER UNIQUE, amount NUMERIC DEFAULT 1,"
  " parent_id INTEGER REFERENCES r (id), other_id INTEGER REFERENCES o (id), active BOOLEAN DEFAULT TRUE, UNIQUE (grp, name), CHECK (name <> 'X'));",
  "CREATE TABLE r (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT COLLATE NOCASE, name TEXT DEFAULT 'n1' NOT NULL, grp TEXT, num INTEGER,"
  " amount NUMERIC, parent_id INTEGER REFERENCES r (id), other_id INTEGER REFERENCES o (id), active BOOLEAN, CHECK (num <> 3));"
  "CREATE UNIQUE INDEX hidden ON r (grp) WHERE num IS NOT NULL;",
  "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT, grp TEXT, num INTEGER NOT NULL DEFAULT 2, amount NUMERIC,"
  " parent_id INTEGER UNIQUE REFERENCES r (id) DEFERRABLE INITIALLY DEFERRED, other_id INTEGER REFERENCES o (id), active BOOLEAN, UNIQUE (name, "
  "num));",
  "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT, name TEXT, grp TEXT, num INTEGER, amount NUMERIC,"
  " parent_id INTEGER REFERENCES r (id), other_id INTEGER REFERENCES o (id), active BOOLEAN);"
  "CREATE TRIGGER t AFTER INSERT ON r BEGIN UPDATE r SET grp = new.code WHERE id = new.parent_id; END;"
  "CREATE TRIGGER e BEFORE UPDATE ON r WHEN new.name = 'X' BEGIN SELECT RAISE(ROLLBACK, 'no X'); END;",
  "CREATE TABLE r (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT, grp TEXT, num INTEGER, amount NUMERIC, parent_id INTEGER REFERENCES r (id),"
  " other_id INTEGER REFERENCES o (id), active BOOLEAN, both TEXT AS (name || grp) UNIQUE);",
};

/* The same for PostgreSQL. No sequence numbers the records, so that their ids show in what order they were made. Its triggers run behind all rows
 * of a wave, so here they change nothing that a later row looks for. */
static const char *const pg_schemas[] = {
  "CREATE TABLE r (id integer PRIMARY KEY, code text UNIQUE, name text NOT NULL, grp text, num integer UNIQUE, amount numeric DEFAULT 1,"
  " parent_id integer REFERENCES r (id), other_id integer REFERENCES o (id), active boolean DEFAULT TRUE, UNIQUE (grp, name), CHECK (name <> 'X'));",
  "CREATE TABLE r (id integer PRIMARY KEY, code text COLLATE px_nocase, name varchar(5) DEFAULT 'n1' NOT NULL, grp char(3), num smallint,"
  " amount numeric(4, 1), parent_id integer REFERENCES r (id), other_id integer REFERENCES o (id), active boolean, CHECK (num <> 3));"
  "CREATE UNIQUE INDEX hidden ON r (grp) WHERE num IS NOT NULL;",
  "CREATE TABLE r (id integer PRIMARY KEY, code text UNIQUE, name text, grp text, num integer NOT NULL DEFAULT 2, amount numeric,"
  " parent_id integer UNIQUE REFERENCES r (id) DEFERRABLE INITIALLY DEFERRED, other_id integer REFERENCES o (id), active boolean,"
  " UNIQUE (name, num) DEFERRABLE);",
  "CREATE TABLE r (id integer PRIMARY KEY, code text, name text, grp text, num integer, amount numeric,"
  " parent_id integer REFERENCES r (id), other_id integer REFERENCES o (id), active boolean);"
  "CREATE FUNCTION px_amount() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.amount = coalesce(new.amount, 0) + 1; RETURN new; END $$;"
  "CREATE FUNCTION px_no_x() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no X'; END $$;"
  "CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION px_amount();"
  "CREATE TRIGGER e BEFORE UPDATE ON r FOR EACH ROW WHEN (new.name = 'X') EXECUTE FUNCTION px_no_x();",
  "CREATE TABLE r (id integer PRIMARY KEY, code text UNIQUE, name text, grp text, num integer, amount numeric,"
  " parent_id integer REFERENCES r (id), other_id integer REFERENCES o (id), active boolean,"
  " both_of text GENERATED ALWAYS AS (name || grp) STORED UNIQUE);",
};
G_STATIC_ASSERT(G_N_ELEMENTS(pg_schemas) == G_N_ELEMENTS(schemas));

/* In place of what the test before left. */
static const char pg_before[] =
  "DROP TABLE IF EXISTS r_o_rel, l, r, o; DROP FUNCTION IF EXISTS px_amount(); DROP FUNCTION IF EXISTS px_no_x(); TRUNCATE pattimpex_external_id;"
  "CREATE COLLATION IF NOT EXISTS px_nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";

static const char *const headers[] = {
  "code#key;name;grp;num;parent_id|code;other_id|name",
  "code#key;code;name;parent_id|name",
  ".id;code#key;name;num;grp",
  "name#key;grp#key;num;parent_id|code;parent_id|name",
  "id;code;name;parent_id|id;active",
  "parent_id#key|code;name#key;num;amount",
  "code#key;name;num;parent_id|parent_id|code",
  "num#key;code;grp;name;parent_id|.id",
  "code;name;grp;num",
  ".id;id;code;name;parent_id|num",
  "grp#key;parent_id|grp;name;other_id|name;amount",
  "code#key;name;r_ids|1|name#key;r_ids|1|num;r_ids|2|name#key;r_ids|2|code",
  "code#key;name;l_r_id_ids|1|name#key;l_r_id_ids|1|num;l_r_id_ids|2|name#key;l_r_id_ids|2|num",
  "code#key;name;l_r_id_ids|1|name;l_r_id_ids|1|num;l_r_id_ids|2|name;l_r_id_ids|2|num",
  ".id;code;name;l_r_id_ids|1|.id;l_r_id_ids|1|name;o_ids|1|name;o_ids|2|name",
  "code#key;name;parent_id|code;r_ids|1|code#key;r_ids|1|name;r_ids|1|r_ids|1|code;r_ids|2|code",
  "id;name;code;r_ids|1|id;r_ids|1|name;r_ids|2|.id;r_ids|2|num",
  "code#key;name;r_ids|1|name;r_ids|1|parent_id|code",
  "code#key;name;r_ids|1|name#key;r_ids|1|other_id|name;r_ids|1|o_ids|1|name;l_r_id_ids|1|r2_id|code;l_r_id_ids|1|name",
  "code#key;name;l_r_id_ids|1|name#key;l_r_id_ids|1|r2_id#key|code;l_r_id_ids|2|name#key;l_r_id_ids|2|r2_id#key|code",
  "name#key;code;o_ids|1|id;o_ids|2|name",
  "code#key;l_ids|1|name#key;l_ids|1|active",
  "code#key;name;active;r_ids|1|code#key;r_ids|1|active",
};

/* Around every table r: lines with a unique name in their r, and links to o. */
static const char beside[] =
  "CREATE TABLE l (id INTEGER PRIMARY KEY, r_id INTEGER NOT NULL REFERENCES r (id), r2_id INTEGER REFERENCES r (id), name TEXT, num INTEGER,"
  " active BOOLEAN DEFAULT TRUE,"
  " UNIQUE (r_id, name), CHECK (num <> 3));"
  "CREATE TABLE r_o_rel (r_id INTEGER NOT NULL REFERENCES r (id), o_id INTEGER NOT NULL REFERENCES o (id), PRIMARY KEY (r_id, o_id));";

/* What the pattern lets relations find: a path and a domain. */
static const char *const limits[][2] = {
  {"parent_id", "[('name', '!=', 'n2')]"},
  {"parent_id", "['|', ('num', '>', 1), ('parent_id.code', '=', 'a')]"},
  {"parent_id.parent_id", "[('r_ids.name', '=', 'n1')]"},
  {"other_id", "[('id', '>', 1)]"},
  {"o_ids", "[('id', '!=', 3)]"},
  {"r_ids.other_id", "[('name', '=', 'g1')]"},
  {"r_ids.o_ids", "[('name', '=', 'g2'), ('id', '<', 3)]"},
  {"parent_id", "[('o_ids', 'in', [1])]"},
};

/* What the pattern gives to new records: headers and values. */
static const char *const defaults[][2] = {
  {"grp;num;active", "g2;2;1"},
  {"name;parent_id|code", "n1;a"},
  {"other_id|name;o_ids|1|name;o_ids|2|name", "g1;g1;g2"},
  {"parent_id|name;parent_id|grp;o_ids|1|.id", "n2;g1;3"},
  {"code;parent_id|id;amount", "d;x.a;7"},
  {"parent_id|parent_id|code;grp", "b;g1"},
};
static const char *const item_defaults[][3] = {
  {"l_r_id_ids", "num;r2_id|code", "2;c"},
  {"l_r_id_ids", "name", "n1"},
  {"r_ids", "num;code;other_id|name", "2;e;g1"},
  {"r_ids", "grp;parent_id|code;o_ids|1|name", "g1;a;g1"},
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
  if (strstr(header, "active"))
    return pick(random, flags, G_N_ELEMENTS(flags));
  return pick(random, externals, G_N_ELEMENTS(externals));
}

static char *random_line(GRand *random, char **names) {
  GString *line = g_string_new(NULL);
  bool lacks = g_rand_int_range(random, 0, 8) == 0;
  for (char **name = names; *name; name++)
    g_string_append_printf(line, "%s%s", name == names ? "" : ";", lacks && g_rand_boolean(random) ? "~" : cell_for(random, *name));
  return g_string_free(line, FALSE);
}

static char *start_sql(GRand *random, const char *schema, bool on_postgres) {
  GString *sql = g_string_new(on_postgres ? pg_before : "");
  g_string_append(sql, "CREATE TABLE o (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO o (id, name) VALUES (1, 'g1'), (2, 'g2'), (3, 'g2');");
  g_string_append(sql, schema);
  g_string_append(sql, beside);
  for (int i = 1; i <= 4; i++)
    if (g_rand_boolean(random))
      g_string_append_printf(sql, "INSERT INTO r (id, code, name, grp, num, parent_id) VALUES (%d, '%c', 'n%d', 'g%d', %d, NULL)%s;", i, 'a' + i - 1,
                             i, g_rand_int_range(random, 1, 3), 10 + i, strstr(schema, "hidden") ? " ON CONFLICT DO NOTHING" : "");
  g_string_append(sql, "INSERT INTO l (id, r_id, name, num) SELECT id * 2, id, 'n1', id FROM r WHERE id <> 3"
                       " UNION ALL SELECT id * 2 + 1, id, 'n2', 9 FROM r;"
                       "INSERT INTO r_o_rel SELECT id, 1 FROM r WHERE id % 2 = 1;");
  if (g_rand_boolean(random))
    g_string_append_printf(sql, "UPDATE r SET parent_id = 1 WHERE id > %s AND EXISTS (SELECT 1 FROM r WHERE id = 1);",
                           strstr(schema, "parent_id integer UNIQUE") || strstr(schema, "parent_id INTEGER UNIQUE") ? "3" : "1");
  return g_string_free(sql, FALSE);
}

typedef struct {
  const char *url, *sql;
  char **lines;
  size_t n_lines;
  PxPurgeMode purge;
  bool update_links;
  size_t limit;             /* in limits; behind the last: none */
  size_t given, item_given; /* in defaults and item_defaults; behind the last: none */
} Load;

/* Everything that loading left: the records, the external ids, the messages and the counts. */
static char *result_of(const Load *load, size_t chunk_rows, bool row_by_row) {
  Fixture fixture;
  fixture_open_on(&fixture, load->url, load->sql, "r");
  fixture.pattern.purge_one2many = load->purge;
  fixture.pattern.update_many2many = load->update_links;
  if (load->limit < G_N_ELEMENTS(limits))
    fixture_limit(&fixture, limits[load->limit][0], limits[load->limit][1]);
  if (load->given < G_N_ELEMENTS(defaults))
    fixture_defaults(&fixture, NULL, defaults[load->given][0], defaults[load->given][1]);
  if (load->item_given < G_N_ELEMENTS(item_defaults))
    fixture_defaults(&fixture, item_defaults[load->item_given][0], item_defaults[load->item_given][1], item_defaults[load->item_given][2]);
  Outcome outcome = fixture_load(&fixture, (const char *const *)load->lines, load->n_lines, chunk_rows, row_by_row);
  g_autofree char *records = fixture_query(&fixture, "SELECT * FROM r ORDER BY id");
  g_autofree char *items = fixture_query(&fixture, "SELECT * FROM l ORDER BY id");
  g_autofree char *links = fixture_query(&fixture, "SELECT * FROM r_o_rel ORDER BY 1, 2");
  g_autofree char *externals = fixture_query(&fixture, "SELECT * FROM pattimpex_external_id ORDER BY 1, 2");
  char *text = g_strdup_printf("%s-\n%s-\n%s-\n%s%s%s created %" G_GUINT64_FORMAT " updated %" G_GUINT64_FORMAT " unchanged %" G_GUINT64_FORMAT
                               " failed %" G_GUINT64_FORMAT " skipped %" G_GUINT64_FORMAT "\n",
                               records, items, links, externals, outcome.messages, outcome.error ? outcome.error : "", outcome.counts.created,
                               outcome.counts.updated, outcome.counts.unchanged, outcome.counts.failed, outcome.counts.skipped);
  outcome_done(&outcome);
  fixture_close(&fixture);
  return text;
}

static void compare_ways(const Load *load, guint32 seed) {
  g_autofree char *expected = result_of(load, 1, true);
  static const size_t chunks[] = {0, 1, 3, 7};
  for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
    g_autofree char *got = result_of(load, chunks[i], false);
    if (strcmp(expected, got) == 0)
      continue;
    g_autofree char *file = g_strjoinv("\n", load->lines);
    g_test_message("seed %u, chunks of %zu rows%s%s, limit %zu, defaults %zu %zu\n%s\n%s\n-- one by one:\n%s-- in waves:\n%s", seed, chunks[i],
                   load->purge == PX_PURGE_DELETE ? ", purge: delete"
                   : load->purge                  ? ", purge"
                                                  : "",
                   load->update_links ? ", update links" : "", load->limit, load->given, load->item_given, load->sql, file, expected, got);
    g_test_fail();
    return;
  }
}

static void test_seed(guint32 seed, const char *url) {
  bool on_postgres = g_str_has_prefix(url, "postgres");
  g_autoptr(GRand) random = g_rand_new_with_seed(seed);
  const char *header = pick(random, headers, G_N_ELEMENTS(headers));
  g_auto(GStrv) names = g_strsplit(header, ";", -1);
  g_autofree char *sql = start_sql(random, pick(random, on_postgres ? pg_schemas : schemas, G_N_ELEMENTS(schemas)), on_postgres);
  size_t n_lines = (size_t)g_rand_int_range(random, 2, MAX_LINES);
  g_auto(GStrv) lines = g_new0(char *, n_lines + 1);
  Load load = {.url = url, .sql = sql, .lines = lines, .n_lines = n_lines};
  load.purge = (PxPurgeMode)g_rand_int_range(random, 0, 3);
  load.update_links = g_rand_boolean(random);
  load.limit = (size_t)g_rand_int_range(random, 0, 3 * G_N_ELEMENTS(limits));
  load.given = (size_t)g_rand_int_range(random, 0, 2 * G_N_ELEMENTS(defaults));
  load.item_given = (size_t)g_rand_int_range(random, 0, 2 * G_N_ELEMENTS(item_defaults));
  lines[0] = g_strdup(header);
  for (size_t i = 1; i < n_lines; i++)
    lines[i] = random_line(random, names);
  compare_ways(&load, seed);
}

/* PATTIMPEX_SEED=N runs that one alone; PATTIMPEX_ROUNDS=N so many. */
static void test_seeds(const char *url, guint32 n) {
  const char *only = g_getenv("PATTIMPEX_SEED");
  const char *rounds = g_getenv("PATTIMPEX_ROUNDS");
  if (rounds)
    n = (guint32)g_ascii_strtoull(rounds, NULL, 10);
  if (only) {
    test_seed((guint32)g_ascii_strtoull(only, NULL, 10), url);
    return;
  }
  for (guint32 seed = 1; seed <= n && !g_test_failed(); seed++)
    test_seed(seed, url);
}

static void test_one_by_one(void) {
  test_seeds("sqlite::memory:", 400);
}

static void test_on_postgres(void) {
  char *url = px_test_postgres_new();
  test_seeds(url, 40);
  px_test_postgres_drop(url);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/load/random/waves_are_as_one_by_one", test_one_by_one);
  g_test_add_func("/load/random/waves_are_as_one_by_one_on_postgres", test_on_postgres);
  return g_test_run();
}
