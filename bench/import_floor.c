/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of bench/import.py: a bare loop of one prepared statement over a CSV without quotes, with the page cache, journal, durability and
 * commit size that pattimpex uses. It checks nothing, looks nothing up and tells nothing.
 *
 * import_floor DATABASE CSV insert|upsert CACHE_KIB ROWS_A_COMMIT
 */
#include <glib.h>
#include <sqlite3.h>
#include <stdlib.h>

#define COLUMNS 10

static const char *const verbs[] = {
  "INSERT INTO product (sku, name, price, quantity, weight, active, country_id, available, color, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  "INSERT INTO product (sku, name, price, quantity, weight, active, country_id, available, color, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
  "ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price = excluded.price, quantity = excluded.quantity, weight = excluded.weight, "
  "active = excluded.active, country_id = excluded.country_id, available = excluded.available, color = excluded.color, note = excluded.note",
};

static void run(sqlite3 *db, const char *sql) {
  char *message = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
    fprintf(stderr, "import_floor: %s: %s\n", sql, message);
    exit(1);
  }
}

/* Numbers are bound as numbers: what the columns would make of the text anyway. */
static void bind(sqlite3_stmt *stmt, int column, char *cell) {
  static const char kinds[COLUMNS + 1] = "ttrirbitit";
  int result;
  if (!*cell)
    result = sqlite3_bind_null(stmt, column + 1);
  else if (kinds[column] == 'i' || kinds[column] == 'b')
    result = sqlite3_bind_int64(stmt, column + 1, strtoll(cell, NULL, 10));
  else if (kinds[column] == 'r')
    result = sqlite3_bind_double(stmt, column + 1, strtod(cell, NULL));
  else
    result = sqlite3_bind_text(stmt, column + 1, cell, -1, SQLITE_STATIC);
  g_assert_cmpint(result, ==, SQLITE_OK);
}

static void load_line(sqlite3 *db, sqlite3_stmt *stmt, char *line) {
  char *cell = line;
  for (int column = 0; column < COLUMNS; column++) {
    char *end = strpbrk(cell, ",\r\n");
    char *next = end ? end + 1 : cell + strlen(cell);
    if (end)
      *end = '\0';
    bind(stmt, column, cell);
    cell = next;
  }
  if (sqlite3_step(stmt) != SQLITE_DONE) {
    fprintf(stderr, "import_floor: %s\n", sqlite3_errmsg(db));
    exit(1);
  }
  sqlite3_reset(stmt);
}

int main(int argc, char **argv) {
  if (argc != 6)
    return 2;
  sqlite3 *db;
  sqlite3_stmt *stmt;
  g_autofree char *cache = g_strdup_printf("PRAGMA cache_size = -%s", argv[4]);
  unsigned long rows_a_commit = strtoul(argv[5], NULL, 10);
  FILE *file = fopen(argv[2], "r");
  if (!file || sqlite3_open(argv[1], &db) != SQLITE_OK)
    return 1;
  run(db, "PRAGMA journal_mode = WAL");
  run(db, "PRAGMA synchronous = FULL");
  run(db, "PRAGMA foreign_keys = ON");
  run(db, cache);
  if (sqlite3_prepare_v2(db, verbs[strcmp(argv[3], "upsert") == 0], -1, &stmt, NULL) != SQLITE_OK)
    return 1;
  char *line = NULL;
  size_t size = 0;
  unsigned long rows = 0;
  if (getline(&line, &size, file) < 0)
    return 1;
  run(db, "BEGIN IMMEDIATE");
  while (getline(&line, &size, file) >= 0) {
    load_line(db, stmt, line);
    if (++rows % rows_a_commit == 0)
      run(db, "COMMIT; BEGIN IMMEDIATE");
  }
  run(db, "COMMIT");
  free(line);
  fclose(file);
  sqlite3_finalize(stmt);
  sqlite3_close(db);
  printf("%lu\n", rows);
  return 0;
}
