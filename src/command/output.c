/* SPDX-License-Identifier: Apache-2.0 */
#include "command/output.h"

#define GAP 2 /* blanks between two columns */

json_t *px_json_text(const char *text) {
  if (!text)
    return json_null();
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  return json_string(valid);
}

json_t *px_json_time(int64_t us, GTimeZone *timezone) {
  if (us == 0)
    return json_null();
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, timezone);
  g_autofree char *text = g_date_time_format(local, "%Y-%m-%dT%H:%M:%S%:z");
  return json_string(text);
}

char *px_output_line(const char *text) {
  GString *out = g_string_new(NULL);
  px_text_append_line(out, text);
  return g_string_free(out, FALSE);
}

static void append_value(GString *out, const json_t *value) {
  switch (value ? json_typeof(value) : JSON_NULL) {
  case JSON_STRING:
    px_text_append_line(out, json_string_value(value));
    return;
  case JSON_INTEGER:
    g_string_append_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return;
  case JSON_REAL:
    g_string_append_printf(out, "%g", json_real_value(value));
    return;
  case JSON_TRUE:
    g_string_append(out, "yes");
    return;
  case JSON_ARRAY:
    for (size_t i = 0; i < json_array_size(value); i++) {
      if (i > 0)
        g_string_append(out, ", ");
      append_value(out, json_array_get(value, i));
    }
    return;
  case JSON_OBJECT:
  case JSON_FALSE:
  case JSON_NULL:
    return;
  }
}

static char *value_text(const json_t *value, bool is_time) {
  GString *out = g_string_new(NULL);
  if (is_time && json_string_length(value) >= strlen("2026-11-23T05:43:46")) {
    const char *text = json_string_value(value);
    g_string_printf(out, "%.10s %.8s", text, text + strlen("2026-11-23T"));
    return g_string_free(out, FALSE);
  }
  append_value(out, value);
  return g_string_free(out, FALSE);
}

/* Places that text takes on a terminal. */
static size_t text_width(const char *text) {
  size_t width = 0;
  for (const char *p = text; *p; p += g_utf8_skip[(guchar)*p]) {
    gunichar c = g_utf8_get_char(p);
    if (!g_unichar_iszerowidth(c))
      width += g_unichar_iswide(c) ? 2 : 1;
  }
  return width;
}

static void append_blanks(GString *out, size_t n) {
  for (size_t i = 0; i < n; i++)
    g_string_append_c(out, ' ');
}

static void append_cell(GString *out, const char *text, size_t width, bool right, bool last) {
  size_t used = text_width(text);
  size_t fill = width > used ? width - used : 0;
  if (right)
    append_blanks(out, fill);
  g_string_append(out, text);
  if (!right && !last)
    append_blanks(out, fill);
  if (!last)
    append_blanks(out, GAP);
}

static void end_line(GString *out) {
  while (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate(out, out->len - 1);
  g_string_append_c(out, '\n');
}

char *px_output_table(const json_t *rows, const PxColumn *columns, size_t n_columns, const char *empty) {
  if (json_array_size(rows) == 0)
    return g_strdup_printf("%s\n", empty);
  g_autofree size_t *widths = g_new0(size_t, n_columns);
  g_autofree bool *right = g_new0(bool, n_columns);
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  size_t n_rows = json_array_size(rows);
  for (size_t i = 0; i < n_rows; i++) {
    for (size_t c = 0; c < n_columns; c++) {
      const json_t *value = json_object_get(json_array_get(rows, i), columns[c].key);
      char *text = value_text(value, columns[c].is_time);
      widths[c] = MAX(MAX(widths[c], text_width(columns[c].title)), text_width(text));
      right[c] = right[c] || json_is_number(value);
      g_ptr_array_add(texts, text);
    }
  }
  GString *out = g_string_new(NULL);
  for (size_t c = 0; c < n_columns; c++)
    append_cell(out, columns[c].title, widths[c], right[c], c + 1 == n_columns);
  end_line(out);
  for (size_t i = 0; i < texts->len; i++) {
    size_t c = i % n_columns;
    append_cell(out, texts->pdata[i], widths[c], right[c], c + 1 == n_columns);
    if (c + 1 == n_columns)
      end_line(out);
  }
  return g_string_free(out, FALSE);
}

char *px_output_object(const json_t *object, const PxColumn *columns, size_t n_columns) {
  size_t width = 0;
  for (size_t c = 0; c < n_columns; c++)
    width = MAX(width, text_width(columns[c].title));
  GString *out = g_string_new(NULL);
  for (size_t c = 0; c < n_columns; c++) {
    g_autofree char *text = value_text(json_object_get(object, columns[c].key), columns[c].is_time);
    if (!*text)
      continue;
    append_cell(out, columns[c].title, width, false, false);
    g_string_append(out, text);
    end_line(out);
  }
  return g_string_free(out, FALSE);
}

void px_print_json(const json_t *value) {
  g_autofree char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
  puts(text);
}

void px_print_rows(bool as_json, const json_t *rows, const PxColumn *columns, size_t n_columns, const char *empty) {
  if (as_json) {
    px_print_json(rows);
    return;
  }
  g_autofree char *text = px_output_table(rows, columns, n_columns, empty);
  fputs(text, stdout);
}

void px_print_object(bool as_json, const json_t *object, const PxColumn *columns, size_t n_columns) {
  if (as_json) {
    px_print_json(object);
    return;
  }
  g_autofree char *text = px_output_object(object, columns, n_columns);
  fputs(text, stdout);
}
