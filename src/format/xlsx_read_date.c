/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a number is a date is told by its format alone, and what date by its value (18.17.4). */
#include "format/xlsx_read_private.h"

#include <math.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define LAST_SERIAL 2958466 /* 10000-01-01 in the 1900 system */
#define OFFSET_1904 1462

/* ---- formats */

/* Formats that have a number and no code. Those of East Asia (27 to 36, 50 to 58) are dates or times, depending on the language: PX_XLSX_DATE
 * shows a time too where there is one. */
static PxXlsxStyle built_in(unsigned id) {
  static const struct {
    unsigned from, to;
    PxXlsxStyle style;
  } known[] = {{14, 17, PX_XLSX_DATE}, {18, 21, PX_XLSX_TIME},    {22, 22, PX_XLSX_DATETIME}, {27, 36, PX_XLSX_DATE},
               {45, 45, PX_XLSX_TIME}, {46, 46, PX_XLSX_ELAPSED}, {47, 47, PX_XLSX_TIME},     {50, 58, PX_XLSX_DATE}};
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (id >= known[i].from && id <= known[i].to)
      return known[i].style;
  return PX_XLSX_NUMBER;
}

typedef struct {
  bool day, time, elapsed;
  bool hour_before; /* the last letters were hours, so m is minutes */
  bool m_open;      /* the last letters were m, not known yet to be months */
} Letters;

/* [h] and its like are durations; [Red], [$-409], [<1] say nothing. */
static const char *take_bracket(const char *p, Letters *letters) {
  const char *end = strchr(p, ']');
  if (!end)
    return p + strlen(p);
  size_t n = (size_t)(end - p - 1);
  if (n > 0 && (strspn(p + 1, "hH") == n || strspn(p + 1, "mM") == n || strspn(p + 1, "sS") == n)) {
    letters->elapsed = true;
    letters->hour_before = g_ascii_tolower(p[1]) == 'h';
  }
  return end + 1;
}

static void take_letter(char c, Letters *letters) {
  if (c == 'm') {
    letters->m_open = !letters->hour_before;
    letters->time |= letters->hour_before;
    letters->hour_before = false;
    return;
  }
  if (c == 's') { /* m before seconds are minutes */
    letters->time = true;
  } else if (c == 'h') {
    letters->time = true;
    letters->day |= letters->m_open;
  } else {
    letters->day = true;
  }
  letters->m_open = false;
  letters->hour_before = c == 'h';
}

static const char *take_run(const char *p, Letters *letters) {
  char c = g_ascii_tolower(*p);
  while (g_ascii_tolower(*p) == c)
    p++;
  if (c == 'm' && letters->m_open)
    letters->day = true;
  take_letter(c, letters);
  return p;
}

/* What begins at p and says nothing of dates is passed over; NULL: it is something else. */
static const char *pass_over(const char *p) {
  static const char *const words[] = {"general", "standard", "g/", "am/pm", "a/p", "e+", "e-"}; /* G/ begins General in Chinese */
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
    if (g_ascii_strncasecmp(p, words[i], strlen(words[i])) == 0)
      return p + strlen(words[i]);
  switch (*p) {
  case '"': {
    const char *end = strchr(p + 1, '"');
    return end ? end + 1 : p + strlen(p);
  }
  case '\\':
  case '_':
  case '*':
    return p[1] ? p + 1 + g_utf8_skip[(unsigned char)p[1]] : p + 1;
  default:
    return NULL;
  }
}

static PxXlsxStyle style_of(const char *code) {
  Letters letters = {0};
  for (const char *p = code; *p && *p != ';';) {
    const char *next = pass_over(p);
    if (next)
      p = MIN(next, code + strlen(code));
    else if (*p == '[')
      p = take_bracket(p, &letters);
    else if (strchr("yYdDmMhHsSbBgGeE", *p))
      p = take_run(p, &letters);
    else if (g_ascii_strncasecmp(p, "aaa", 3) == 0) { /* a day of the week */
      letters.day = true;
      p += 3;
    } else
      p++;
  }
  letters.day |= letters.m_open;
  if (letters.elapsed)
    return PX_XLSX_ELAPSED;
  if (letters.day)
    return letters.time ? PX_XLSX_DATETIME : PX_XLSX_DATE;
  return letters.time ? PX_XLSX_TIME : PX_XLSX_NUMBER;
}

PxXlsxStyle px_xlsx_style(unsigned id, const char *code) {
  return code ? style_of(code) : built_in(id);
}

/* ---- values */

/* Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar. */
static void civil(int64_t day, int *ret_year, int *ret_month, int *ret_day) {
  day += 719468; /* from 0000-03-01: leap days come last in a year */
  int64_t era = day / 146097;
  int64_t of_era = day % 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * of_year + 2) / 153;
  *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
  *ret_month = (int)(month < 10 ? month + 3 : month - 9);
  *ret_year = (int)(year + era * 400 + (*ret_month <= 2));
}

static void put(char **to, int64_t value, int width) {
  for (int i = width - 1; i >= 0; i--, value /= 10)
    (*to)[i] = (char)('0' + value % 10);
  *to += width;
}

/* The 1900 system takes 1900 for a leap year: 60 is its 29 February, days before are one off, 0 is 00 January. Such days are written as a
 * spreadsheet shows them, and refused later as days that the calendar does not have. */
static void put_day(char **to, int64_t serial, bool from_1904) {
  int year = 1900;
  int month = 1;
  int day = 0;
  if (from_1904)
    serial += OFFSET_1904;
  if (serial == 60) {
    month = 2;
    day = 29;
  } else if (serial > 0) {
    civil(serial - (serial > 60 ? 25569 : 25568), &year, &month, &day);
  }
  put(to, year, 4);
  *(*to)++ = '-';
  put(to, month, 2);
  *(*to)++ = '-';
  put(to, day, 2);
}

static void put_time(char **to, int64_t ms) {
  int64_t hours = ms / 3600000;
  put(to, hours, hours > 999999 ? 8 : hours > 99 ? 6 : 2);
  *(*to)++ = ':';
  put(to, ms / 60000 % 60, 2);
  *(*to)++ = ':';
  put(to, ms / 1000 % 60, 2);
  if (ms % 1000) {
    *(*to)++ = '.';
    put(to, ms % 1000, 3);
  }
}

static PxCellKind end_text(char *start, const char *end, PxCellKind kind, uint32_t *ret_len) {
  *ret_len = (uint32_t)(end - start);
  return kind;
}

PxCellKind px_xlsx_date(double serial, PxXlsxStyle style, bool from_1904, char *to, uint32_t *ret_len) {
  char *out = to;
  *ret_len = 0;
  if (!(fabs(serial) < LAST_SERIAL))
    return PX_CELL_NUMBER;
  int64_t ms = llround(serial * (double)DAY_MS);
  if (style == PX_XLSX_ELAPSED || (style == PX_XLSX_TIME && ms >= 0 && ms < DAY_MS)) {
    if (ms < 0)
      *out++ = '-';
    put_time(&out, ms < 0 ? -ms : ms);
    return end_text(to, out, PX_CELL_TEXT, ret_len);
  }
  int64_t day = ms / DAY_MS;
  if (ms < 0 || day + (from_1904 ? OFFSET_1904 : 0) >= LAST_SERIAL)
    return PX_CELL_NUMBER;
  put_day(&out, day, from_1904);
  if (style == PX_XLSX_DATE && ms % DAY_MS == 0)
    return end_text(to, out, PX_CELL_DATE, ret_len);
  *out++ = ' ';
  put_time(&out, ms % DAY_MS);
  return end_text(to, out, PX_CELL_DATETIME, ret_len);
}

/* Whether text has the form of pattern, where 0 is any digit. */
static bool has_form(const char *text, size_t len, const char *pattern) {
  if (len != strlen(pattern))
    return false;
  for (size_t i = 0; i < len; i++)
    if (pattern[i] == '0' ? !g_ascii_isdigit(text[i]) : text[i] != pattern[i])
      return false;
  return true;
}

PxCellKind px_xlsx_iso_date(const char *text, size_t len, char *to, uint32_t *ret_len) {
  static const char *const forms[] = {"0000-00-00T00:00:00", "0000-00-00T00:00", "0000-00-00T00:00:00.000"};
  if (len > 0 && text[len - 1] == 'Z') /* 18.18.11 has no zone; some write it all the same */
    len--;
  if (has_form(text, len, "0000-00-00")) {
    memcpy(to, text, len);
    *ret_len = (uint32_t)len;
    return PX_CELL_DATE;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
    if (has_form(text, len, forms[i])) {
      memcpy(to, text, len);
      to[10] = ' ';
      if (len == 16)
        memcpy(to + len, ":00", 3);
      *ret_len = (uint32_t)(len == 16 ? 19 : has_form(text + 19, len - 19, ".000") && memcmp(text + 19, ".000", 4) == 0 ? 19 : len);
      return PX_CELL_DATETIME;
    }
  return PX_CELL_TEXT;
}
