/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of listings: MLSD and MLST as RFC 3659 has them, LIST as ls -l and as Windows have it. Whatever a server sends, nothing is read beyond it. */
#include "storage/ftp_private.h"

#include <string.h>
#include <sys/stat.h>

#define SECOND_NS INT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define DAY_NS (24 * 60 * MINUTE_NS)
#define PRECISION_NS (2 * SECOND_NS) /* what is behind the server may have two seconds (FAT) */
#define MOST_WORDS 12                /* before the name */

/* ---- numbers and times */

static bool parse_number(const char *text, size_t len, uint64_t *ret) {
  uint64_t value = 0;
  if (len == 0 || len > 19)
    return false;
  for (size_t i = 0; i < len; i++) {
    if (!g_ascii_isdigit(text[i]))
      return false;
    value = value * 10 + (uint64_t)(text[i] - '0');
  }
  *ret = value;
  return true;
}

/* Exactly len digits. */
static bool take_digits(const char **text, size_t len, int *ret) {
  uint64_t value;
  if (strnlen(*text, len) < len || !parse_number(*text, len, &value))
    return false;
  *text += len;
  *ret = (int)value;
  return true;
}

static bool time_of(int year, int month, int day, int hour, int minute, int second, int64_t *ret_ns) {
  g_autoptr(GDateTime) time = g_date_time_new_utc(year, month, day, hour, minute, MIN(second, 59)); /* a leap second */
  if (!time || year < 1900)
    return false;
  *ret_ns = g_date_time_to_unix(time) * SECOND_NS;
  return true;
}

bool px_ftp_parse_time(const char *text, int64_t *ret_ns) {
  int year;
  int parts[5];
  if (!take_digits(&text, 4, &year))
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
    if (!take_digits(&text, 2, &parts[i]))
      return false;
  }
  if (!time_of(year, parts[0], parts[1], parts[2], parts[3], parts[4], ret_ns))
    return false;
  if (*text == '.') {
    int64_t unit = SECOND_NS / 10;
    for (text++; g_ascii_isdigit(*text) && unit > 0; text++, unit /= 10)
      *ret_ns += (*text - '0') * unit;
  }
  return true;
}

/* ---- MLSD */

static mode_t kind_of_fact(const char *type) {
  if (g_ascii_strcasecmp(type, "file") == 0)
    return S_IFREG;
  if (g_ascii_strcasecmp(type, "dir") == 0 || g_ascii_strcasecmp(type, "cdir") == 0 || g_ascii_strcasecmp(type, "pdir") == 0)
    return S_IFDIR;
  if (g_ascii_strncasecmp(type, "OS.unix=sl", 10) == 0 || g_ascii_strncasecmp(type, "OS.unix=sym", 11) == 0)
    return S_IFLNK;
  return S_IFCHR; /* something else of the server's system */
}

static void take_fact(const char *name, const char *value, PxFtpEntry *entry) {
  if (g_ascii_strcasecmp(name, "type") == 0) {
    entry->mode = kind_of_fact(value);
    entry->is_place = g_ascii_strcasecmp(value, "cdir") == 0 || g_ascii_strcasecmp(value, "pdir") == 0;
  } else if (g_ascii_strcasecmp(name, "size") == 0)
    entry->has_size = parse_number(value, strlen(value), &entry->size);
  else if (g_ascii_strcasecmp(name, "modify") == 0)
    entry->mtime_precision_ns = px_ftp_parse_time(value, &entry->mtime_ns) ? PRECISION_NS : 0;
}

bool px_ftp_parse_facts(char *line, PxFtpEntry *ret) {
  *ret = (PxFtpEntry){0};
  char *name = strchr(line, ' ');
  if (!name || (name > line && name[-1] != ';'))
    return false;
  *name++ = 0;
  char *rest = line;
  for (char *fact; (fact = strsep(&rest, ";")) && *fact;) {
    char *value = strchr(fact, '=');
    if (!value)
      return false;
    *value++ = 0;
    take_fact(fact, value, ret);
  }
  ret->name = name;
  return *name;
}

/* ---- LIST */

typedef struct {
  const char *text;
  size_t len;
} Word;

static size_t split_words(const char *line, Word *words) {
  size_t n = 0;
  while (n < MOST_WORDS) {
    line += strspn(line, " ");
    size_t len = strcspn(line, " ");
    if (len == 0)
      break;
    words[n++] = (Word){line, len};
    line += len;
  }
  return n;
}

static int month_of(const Word *word) {
  static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
  for (size_t i = 0; word->len == 3 && i < G_N_ELEMENTS(months); i++) {
    if (g_ascii_strncasecmp(word->text, months[i], 3) == 0)
      return (int)i + 1;
  }
  return 0;
}

static bool small_number(const Word *word, unsigned most, int *ret) {
  uint64_t value;
  if (!parse_number(word->text, word->len, &value) || value > most)
    return false;
  *ret = (int)value;
  return true;
}

static bool clock_of(const Word *word, int *ret_hour, int *ret_minute) {
  const char *colon = memchr(word->text, ':', word->len);
  if (!colon)
    return false;
  const Word hour = {word->text, (size_t)(colon - word->text)};
  const Word minute = {colon + 1, MIN(word->len - hour.len - 1, 2)};
  return small_number(&hour, 23, ret_hour) && small_number(&minute, 59, ret_minute);
}

/* Month, day, and a clock or a year: three words. */
static bool date_of(const Word *words, int64_t now, PxFtpEntry *entry) {
  int month = month_of(&words[0]);
  int day;
  int hour = 0;
  int minute = 0;
  int year;
  if (!month || !small_number(&words[1], 31, &day))
    return false;
  if (words[2].len == 4 && small_number(&words[2], 9999, &year)) {
    entry->mtime_precision_ns = DAY_NS;
    return time_of(year, month, day, 0, 0, 0, &entry->mtime_ns);
  }
  g_autoptr(GDateTime) today = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
  if (!today || !clock_of(&words[2], &hour, &minute))
    return false;
  entry->mtime_precision_ns = MINUTE_NS;
  year = g_date_time_get_year(today) + 1;           /* a server east of us may be in the next year already */
  for (int tries = 0; tries < 6; tries++, year--) { /* the 29th of February is not in every year */
    if (time_of(year, month, day, hour, minute, 0, &entry->mtime_ns) && entry->mtime_ns / 1000 <= now + DAY_NS / 1000)
      return true;
  }
  return false;
}

static mode_t kind_of_letter(char letter) {
  static const struct {
    char letter;
    mode_t kind;
  } kinds[] = {{'-', S_IFREG}, {'d', S_IFDIR}, {'l', S_IFLNK}, {'p', S_IFIFO}, {'s', S_IFSOCK}, {'b', S_IFBLK}, {'c', S_IFCHR}};
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    if (kinds[i].letter == letter)
      return kinds[i].kind;
  }
  return 0;
}

/* -rw-r--r-- 1 owner group 1234 Nov 23 14:58 name; the group may be missing, owner and group may have blanks. */
static bool parse_unix(char *line, int64_t now, PxFtpEntry *ret) {
  Word words[MOST_WORDS];
  size_t n = split_words(line, words);
  ret->mode = kind_of_letter(line[0]);
  if (!ret->mode || n < 5 || words[0].len < 10)
    return false;
  for (size_t i = 2; i + 3 < n; i++) {
    if (!parse_number(words[i - 1].text, words[i - 1].len, &ret->size) || !date_of(&words[i], now, ret))
      continue;
    ret->has_size = true;
    ret->name = line + (words[i + 2].text + words[i + 2].len + 1 - line);
    char *arrow = ret->mode == S_IFLNK ? strstr(ret->name, " -> ") : NULL;
    if (arrow)
      *arrow = 0;
    return *ret->name;
  }
  return false;
}

/* 11-23-26  03:04PM       <DIR>          name */
static bool parse_windows(char *line, PxFtpEntry *ret) {
  Word words[MOST_WORDS];
  int month;
  int day;
  int year;
  int hour;
  int minute;
  if (split_words(line, words) < 4 || (words[0].len != 8 && words[0].len != 10) || words[0].text[2] != '-' || words[0].text[5] != '-')
    return false;
  const Word parts[] = {{words[0].text, 2}, {words[0].text + 3, 2}, {words[0].text + 6, words[0].len - 6}};
  if (!small_number(&parts[0], 12, &month) || !small_number(&parts[1], 31, &day) || !small_number(&parts[2], 9999, &year) ||
      !clock_of(&words[1], &hour, &minute))
    return false;
  if (words[0].len == 8)
    year += year < 70 ? 2000 : 1900;
  char half = words[1].len > 5 ? g_ascii_tolower(words[1].text[words[1].len - 2]) : 0;
  if (half)
    hour = hour % 12 + (half == 'p' ? 12 : 0);
  ret->mtime_precision_ns = MINUTE_NS;
  ret->mode = words[2].len == 5 && memcmp(words[2].text, "<DIR>", 5) == 0 ? S_IFDIR : S_IFREG;
  ret->has_size = parse_number(words[2].text, words[2].len, &ret->size);
  ret->name = line + (words[3].text - line);
  return (ret->mode == S_IFDIR || ret->has_size) && time_of(year, month, day, hour, minute, 0, &ret->mtime_ns) && *ret->name;
}

bool px_ftp_parse_list(char *line, int64_t now, PxFtpEntry *ret) {
  *ret = (PxFtpEntry){0};
  if (!(g_ascii_isdigit(line[0]) ? parse_windows(line, ret) : parse_unix(line, now, ret)))
    return false;
  ret->is_place = strcmp(ret->name, ".") == 0 || strcmp(ret->name, "..") == 0;
  return true;
}
