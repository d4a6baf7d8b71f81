/* SPDX-License-Identifier: Apache-2.0 */
/* Values as the text that PostgreSQL reads. */
#include "base/number.h"
#include "db/pg_private.h"

#include <string.h>

/* The shortest digits: 0.1 for a column of decimals is 0.1. */
static void append_number(GString *text, const PxValue *value) {
  char digits[PX_NUMBER_TEXT_SIZE];
  g_string_append_len(text, digits, (gssize)px_number_text(value, digits));
}

bool px_pg_holds_zero(const PxValue *value) {
  return value->len && memchr(value->text, '\0', value->len);
}

bool px_pg_append_value(GString *text, const PxValue *value) {
  switch ((PxValueKind)value->kind) {
  case PX_INTEGER:
  case PX_REAL:
    append_number(text, value);
    return true;
  case PX_TEXT:
    g_string_append_len(text, value->text, value->len);
    return !px_pg_holds_zero(value);
  case PX_BLOB:
  case PX_NULL:
    break;
  }
  return true;
}

static void append_quoted(GString *text, const char *bytes, size_t len) {
  g_string_append_c(text, '"');
  for (const char *end = bytes + len; bytes < end;) {
    const char *at = bytes;
    while (at < end && *at != '"' && *at != '\\')
      at++;
    g_string_append_len(text, bytes, at - bytes);
    if (at < end) {
      g_string_append_c(text, '\\');
      g_string_append_c(text, *at++);
    }
    bytes = at;
  }
  g_string_append_c(text, '"');
}

void px_pg_append_hex(GString *text, const char *bytes, size_t len) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < len; i++) {
    g_string_append_c(text, digits[(unsigned char)bytes[i] >> 4]);
    g_string_append_c(text, digits[bytes[i] & 15]);
  }
}

bool px_pg_append_array(GString *text, const PxValue *values, size_t n) {
  g_string_append_c(text, '{');
  for (size_t i = 0; i < n; i++) {
    if (i)
      g_string_append_c(text, ',');
    if (values[i].kind == PX_NULL)
      g_string_append(text, "NULL");
    else if (values[i].kind == PX_BLOB) {
      g_string_append(text, "\"\\\\x");
      px_pg_append_hex(text, values[i].text, values[i].len);
      g_string_append_c(text, '"');
    } else if (values[i].kind == PX_TEXT && px_pg_holds_zero(&values[i]))
      return false;
    else if (values[i].kind == PX_TEXT)
      append_quoted(text, values[i].text, values[i].len);
    else
      (void)px_pg_append_value(text, &values[i]);
  }
  g_string_append_c(text, '}');
  return true;
}
