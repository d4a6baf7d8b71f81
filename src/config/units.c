/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <string.h>

typedef struct {
  const char *name;
  uint64_t factor;
} Unit;

static const Unit size_units[] = {
  {"", 1},
  {"B", 1},
  {"kB", 1000},
  {"KB", 1000},
  {"MB", 1000000},
  {"GB", 1000000000},
  {"TB", UINT64_C(1000000000000)},
  {"KiB", 1 << 10},
  {"MiB", 1 << 20},
  {"GiB", 1 << 30},
  {"TiB", UINT64_C(1) << 40},
};

#define SECOND UINT64_C(1000000)

static const Unit time_units[] = {
  {"ms", 1000},
  {"millisecond", 1000},
  {"milliseconds", 1000},
  {"s", SECOND},
  {"sec", SECOND},
  {"second", SECOND},
  {"seconds", SECOND},
  {"m", 60 * SECOND},
  {"min", 60 * SECOND},
  {"minute", 60 * SECOND},
  {"minutes", 60 * SECOND},
  {"h", 3600 * SECOND},
  {"hour", 3600 * SECOND},
  {"hours", 3600 * SECOND},
  {"d", 86400 * SECOND},
  {"day", 86400 * SECOND},
  {"days", 86400 * SECOND},
  {"w", 604800 * SECOND},
  {"week", 604800 * SECOND},
  {"weeks", 604800 * SECOND},
};

static void skip_blanks(const char **text) {
  *text += strspn(*text, " \t");
}

/* One "1.5 h" at *text, which moves behind it. */
static bool parse_amount(const char **text, const Unit *units, size_t n_units, uint64_t *ret) {
  const char *at = *text;
  uint64_t whole = 0;
  if (!g_ascii_isdigit(*at))
    return false;
  for (; g_ascii_isdigit(*at); at++) {
    if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, (uint64_t)(*at - '0'), &whole))
      return false;
  }
  uint64_t fraction = 0;
  uint64_t parts = 1; /* the fraction is fraction / parts; six digits keep the product below inside 64 bits */
  if (*at == '.' && g_ascii_isdigit(at[1])) {
    for (at++; g_ascii_isdigit(*at) && parts < 1000000; at++) {
      fraction = fraction * 10 + (uint64_t)(*at - '0');
      parts *= 10;
    }
  }
  skip_blanks(&at);
  size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  for (size_t i = 0; i < n_units; i++) {
    if (strlen(units[i].name) != length || strncmp(units[i].name, at, length) != 0)
      continue;
    *text = at + length;
    return !__builtin_mul_overflow(whole, units[i].factor, ret) && !__builtin_add_overflow(*ret, units[i].factor * fraction / parts, ret);
  }
  return false;
}

bool px_config_parse_size(const char *text, uint64_t *ret_bytes) {
  skip_blanks(&text);
  uint64_t bytes;
  if (!parse_amount(&text, size_units, G_N_ELEMENTS(size_units), &bytes))
    return false;
  skip_blanks(&text);
  if (*text)
    return false;
  *ret_bytes = bytes;
  return true;
}

bool px_config_parse_duration(const char *text, int64_t *ret_us) {
  skip_blanks(&text);
  uint64_t total = 0;
  bool is_zero = strcmp(text, "0") == 0;
  while (!is_zero) {
    uint64_t part;
    if (!parse_amount(&text, time_units, G_N_ELEMENTS(time_units), &part) || __builtin_add_overflow(total, part, &total) || total > INT64_MAX)
      return false;
    skip_blanks(&text);
    if (!*text)
      break;
  }
  *ret_us = (int64_t)total;
  return true;
}

bool px_config_parse_boolean(const char *text, bool *ret) {
  static const char *const yes[] = {"true", "yes", "on", NULL};
  static const char *const no[] = {"false", "no", "off", NULL};
  g_autofree char *lower = g_ascii_strdown(text, -1);
  *ret = g_strv_contains(yes, lower);
  return *ret || g_strv_contains(no, lower);
}

char *px_config_parse_channel(const char *text) {
  g_auto(GStrv) words = g_strsplit(text, ".", -1);
  for (char **word = words; *word; word++)
    if (!**word || strspn(*word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(*word))
      return NULL;
  if (!*words)
    return NULL;
  return strcmp(*words, "root") == 0 ? g_strdup(text) : g_strconcat("root.", text, NULL);
}
