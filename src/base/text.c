/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

#define QUOTE_CHARS 60

static bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

void px_text_strip(const char **text, size_t *len) {
  const char *start = *text;
  const char *end = start + *len;
  while (start < end) {
    if (is_blank(*start))
      start++;
    else if (end - start >= 2 && start[0] == '\xc2' && start[1] == '\xa0')
      start += 2;
    else
      break;
  }
  while (end > start) {
    if (is_blank(end[-1]))
      end--;
    else if (end - start >= 2 && end[-2] == '\xc2' && end[-1] == '\xa0')
      end -= 2;
    else
      break;
  }
  *text = start;
  *len = (size_t)(end - start);
}

/* Edits between two words, case ignored; two neighbours that changed places are one edit (optimal string alignment). Three rows of the matrix. */
static size_t distance(const char *a, const char *b) {
  size_t n = strlen(b);
  g_autofree size_t *rows = g_new(size_t, 3 * (n + 1));
  size_t *before = rows;
  size_t *last = rows + (n + 1);
  size_t *row = rows + 2 * (n + 1);
  for (size_t j = 0; j <= n; j++)
    last[j] = j;
  for (size_t i = 0; a[i]; i++) {
    row[0] = i + 1;
    for (size_t j = 0; j < n; j++) {
      size_t change = last[j] + (g_ascii_tolower(a[i]) != g_ascii_tolower(b[j]));
      row[j + 1] = MIN(change, MIN(last[j + 1], row[j]) + 1);
      bool swapped = i && j && g_ascii_tolower(a[i]) == g_ascii_tolower(b[j - 1]) && g_ascii_tolower(a[i - 1]) == g_ascii_tolower(b[j]);
      if (swapped)
        row[j + 1] = MIN(row[j + 1], before[j - 1] + 1);
    }
    size_t *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  return last[n];
}

const char *px_text_nearest(const char *word, const char *const *candidates, size_t n) {
  const char *best = NULL;
  size_t best_distance = MAX(strlen(word) / 3, 1) + 1;
  if (strlen(word) > 100)
    return NULL;
  for (size_t i = 0; i < n; i++) {
    size_t d = distance(word, candidates[i]);
    if (d < best_distance) {
      best_distance = d;
      best = candidates[i];
    }
  }
  return best;
}

char *px_text_did_you_mean(const char *word, const char *const *candidates, size_t n) {
  const char *nearest = px_text_nearest(word, candidates, n);
  return nearest ? g_strdup_printf(" (did you mean %s?)", nearest) : g_strdup("");
}

size_t px_text_chars(const char *text, size_t len) {
  size_t chars = 0;
  for (size_t i = 0; i < len; i++)
    chars += ((unsigned char)text[i] & 0xC0) != 0x80;
  return chars;
}

char *px_text_quote(const char *text, size_t len) {
  GString *out = g_string_new("\"");
  size_t chars = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    chars += (c & 0xC0) != 0x80;
    if (chars > QUOTE_CHARS) {
      g_string_append(out, "…");
      break;
    }
    if (c < 0x20 || c == 0x7F)
      g_string_append_printf(out, "\\x%02x", c);
    else
      g_string_append_c(out, (char)c);
  }
  g_string_append_c(out, '"');
  return g_string_free(out, FALSE);
}

bool px_text_is_formula(const char *text, size_t len) {
  size_t at = 0;
  while (at < len && text[at] == '\'')
    at++;
  return at < len && text[at] && strchr("=+-@\t\r", text[at]);
}

void px_text_append_line(GString *out, const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  for (const char *p = valid; *p; p += g_utf8_skip[(guchar)*p]) {
    gunichar c = g_utf8_get_char(p);
    if (c == '\n' || c == '\r' || c == '\t')
      g_string_append_c(out, ' ');
    else if (g_unichar_iscntrl(c))
      g_string_append_printf(out, "\\x%02x", c);
    else
      g_string_append_unichar(out, c);
  }
}

char *px_group_digits(uint64_t n) {
  g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, n);
  GString *out = g_string_new(NULL);
  size_t len = strlen(digits);
  for (size_t i = 0; i < len; i++) {
    if (i > 0 && (len - i) % 3 == 0)
      g_string_append_c(out, ',');
    g_string_append_c(out, digits[i]);
  }
  return g_string_free(out, FALSE);
}

char *px_count_text(uint64_t n, const char *what) {
  g_autofree char *digits = px_group_digits(n);
  return g_strdup_printf("%s %s%s", digits, what, n == 1 ? "" : "s");
}

char *px_text_cell_name(size_t column, uint64_t row) {
  char letters[16];
  size_t at = sizeof(letters) - 1;
  letters[at] = '\0';
  for (size_t rest = column + 1; rest > 0; rest = (rest - 1) / 26)
    letters[--at] = (char)('A' + (rest - 1) % 26);
  return g_strdup_printf("%s%" G_GUINT64_FORMAT, letters + at, row);
}

bool px_text_is_address(const char *text) {
  const char *at = strchr(text, '@');
  for (const char *c = text; *c; c++)
    if (!g_ascii_isgraph(*c) || strchr("<>(),;:\\\"[]", *c))
      return false;
  return at && at != text && at[1] && !strchr(at + 1, '@');
}
