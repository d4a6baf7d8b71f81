/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions that people write: what holds for every database is looked at here, the rest is asked of it. */
#include "db/db_driver.h"

/* Behind the quote that closes what begins at text; NULL: it is not closed. A doubled quote ends one text and begins the next. */
static const char *behind_quote(const char *text) {
  const char *end = strchr(text + 1, *text);
  return end ? end + 1 : NULL;
}

/* With balanced parentheses and no comment a text stays within those that are put around it. */
static const char *problem_of(const char *text) {
  unsigned depth = 0;
  bool empty = true;
  while (*text) {
    if (strchr("'\"`", *text)) {
      text = behind_quote(text);
      empty = false;
      if (!text)
        return "a quote is not closed";
      continue;
    }
    if (*text == ';')
      return "it is more than one expression";
    if (strncmp(text, "--", 2) == 0 || strncmp(text, "/*", 2) == 0)
      return "comments may not stand in it";
    if (*text == ')' && depth-- == 0)
      return "a parenthesis is closed that was not opened";
    depth += *text == '(';
    empty = empty && g_ascii_isspace(*text);
    text++;
  }
  return depth ? "a parenthesis is not closed" : empty ? "it is empty" : NULL;
}

bool px_db_check_expression(PxDb *db, const char *table, const char *const *columns, const char *expression, GError **error) {
  const char *problem = db->driver->check_expression ? problem_of(expression) : "with this kind of database there are no computed values";
  if (!problem)
    return db->driver->check_expression(db, table, columns, expression, error);
  g_set_error_literal(error, PX_ERROR, PX_ERROR_CONFIG, problem);
  return false;
}
