/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times by a format, in the letters of strptime (POSIX.1-2017, strptime; %f and %z as Python has them). Names of months and days are
 * English ones whatever the locale: a file means the same on every machine. */
#include "model/convert.h"
#include "model/convert_private.h"

#include <string.h>

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

#define SHORT_NAME 3
#define PIVOT_YEAR 69 /* years of two digits from here on are of the last century (POSIX) */

/* What a letter stands for. */
typedef enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FRACTION, HALF, OFFSET, WEEKDAY, N_PARTS } Part;
static const char *const part_names[] = {"year",     "month",           "day",    "hour",           "minute", "second",
                                         "fraction", "half of the day", "offset", "day of the week"};

typedef struct {
  char letter;
  Part part;
  uint8_t least, most; /* digits */
  bool name;           /* a word instead */
} Directive;

static const Directive directives[] = {
  {'Y', YEAR, 4, 4, false}, {'y', YEAR, 2, 2, false},   {'m', MONTH, 1, 2, false},  {'b', MONTH, 0, 0, true},
  {'B', MONTH, 0, 0, true}, {'d', DAY, 1, 2, false},    {'e', DAY, 1, 2, false},    {'H', HOUR, 1, 2, false},
  {'I', HOUR, 1, 2, false}, {'M', MINUTE, 1, 2, false}, {'S', SECOND, 1, 2, false}, {'f', FRACTION, 1, 9, false},
  {'p', HALF, 0, 0, true},  {'z', OFFSET, 0, 0, true},  {'a', WEEKDAY, 0, 0, true}, {'A', WEEKDAY, 0, 0, true},
};

/* Letters for several others. */
static const char *expansion(char letter) {
  switch (letter) {
  case 'T':
    return "%H:%M:%S";
  case 'R':
    return "%H:%M";
  case 'F':
    return "%Y-%m-%d";
  case 'D':
    return "%m/%d/%y";
  default:
    return NULL;
  }
}

static const Directive *directive_of(char letter) {
  for (size_t i = 0; i < G_N_ELEMENTS(directives); i++)
    if (directives[i].letter == letter)
      return &directives[i];
  return NULL;
}

/* ---- reading */

typedef struct {
  const char *p, *end;
  PxMoment *moment;
  bool twelve, afternoon; /* %I and %p, joined at the end */
} Reader;

static bool read_digits(Reader *r, const Directive *directive, int *ret_number, unsigned *ret_n) {
  int number = 0;
  unsigned n = 0;
  for (; r->p < r->end && n < directive->most && g_ascii_isdigit(*r->p); n++)
    number = number * 10 + (*r->p++ - '0');
  *ret_number = number;
  *ret_n = n;
  return n >= directive->least;
}

/* A whole name or its first three letters, with a point behind these or not. */
static int read_name(Reader *r, const char *const *names, size_t n) {
  const char *start = r->p;
  while (r->p < r->end && g_ascii_isalpha(*r->p))
    r->p++;
  size_t len = (size_t)(r->p - start);
  for (size_t i = 0; i < n; i++)
    if ((len == strlen(names[i]) || len == SHORT_NAME) && g_ascii_strncasecmp(names[i], start, len) == 0) {
      if (len == SHORT_NAME && r->p < r->end && *r->p == '.')
        r->p++;
      return (int)i;
    }
  return -1;
}

static bool read_half(Reader *r) {
  if (r->end - r->p < 2 || g_ascii_tolower(r->p[1]) != 'm' || !strchr("apAP", r->p[0]))
    return false;
  r->afternoon = g_ascii_tolower(r->p[0]) == 'p';
  r->p += 2;
  return true;
}

static bool read_offset(Reader *r) {
  const char *start = r->p++;
  if (start == r->end)
    return false;
  while (r->p < r->end && (*start == '+' || *start == '-') && (g_ascii_isdigit(*r->p) || *r->p == ':'))
    r->p++;
  return px_moment_parse_offset(start, r->p, r->moment);
}

static void take_fraction(PxMoment *moment, const char *digits, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    if (i < PX_FRACTION_DIGITS)
      moment->fraction[moment->n_fraction++] = digits[i];
    else
      moment->too_fine |= digits[i] != '0';
  }
  while (moment->n_fraction && moment->fraction[moment->n_fraction - 1] == '0')
    moment->n_fraction--;
}

static bool take_number(Reader *r, const Directive *directive, int number) {
  PxMoment *moment = r->moment;
  int *const places[] = {[YEAR] = &moment->year, [MONTH] = &moment->month,   [DAY] = &moment->day,
                         [HOUR] = &moment->hour, [MINUTE] = &moment->minute, [SECOND] = &moment->second};
  if (directive->letter == 'y')
    number += number < PIVOT_YEAR ? 2000 : 1900;
  if (directive->letter == 'I') {
    r->twelve = true;
    if (number < 1 || number > 12)
      number = 24; /* no hour of any clock */
  }
  *places[directive->part] = number;
  return true;
}

static bool read_part(Reader *r, const Directive *directive) {
  int number;
  unsigned n;
  const char *start = r->p;
  switch (directive->part) {
  case HALF:
    return read_half(r);
  case OFFSET:
    return read_offset(r);
  case WEEKDAY:
    return read_name(r, days, G_N_ELEMENTS(days)) >= 0;
  case FRACTION:
    if (!read_digits(r, directive, &number, &n))
      return false;
    take_fraction(r->moment, start, n);
    return true;
  case YEAR:
  case MONTH:
  case DAY:
  case HOUR:
  case MINUTE:
  case SECOND:
  case N_PARTS:
    break;
  }
  if (!directive->name)
    return read_digits(r, directive, &number, &n) && take_number(r, directive, number);
  r->moment->month = read_name(r, months, G_N_ELEMENTS(months)) + 1;
  return r->moment->month > 0;
}

static bool read_blanks(Reader *r) {
  const char *start = r->p;
  while (r->p < r->end && g_ascii_isspace(*r->p))
    r->p++;
  return r->p > start;
}

static bool read_by(Reader *r, const char *format) {
  for (const char *f = format; *f; f++) {
    if (g_ascii_isspace(*f)) {
      if (!read_blanks(r))
        return false;
      while (g_ascii_isspace(f[1]))
        f++;
      continue;
    }
    if (*f == '%' && f[1] != '%') {
      f += f[1] == '-' ? 2 : 1;
      const char *more = expansion(*f);
      const Directive *directive = directive_of(*f);
      if (more ? !read_by(r, more) : !directive || !read_part(r, directive))
        return false;
      continue;
    }
    f += *f == '%';
    if (r->p == r->end || *r->p++ != *f)
      return false;
  }
  return true;
}

PxTimeResult px_moment_parse_by(const char *format, const char *text, size_t len, PxMoment *ret_moment) {
  *ret_moment = (PxMoment){0};
  Reader reader = {.p = text, .end = text + len, .moment = ret_moment};
  if (!read_by(&reader, format) || reader.p != reader.end)
    return PX_TIME_SYNTAX;
  if (reader.twelve && ret_moment->hour <= 12)
    ret_moment->hour = ret_moment->hour % 12 + (reader.afternoon ? 12 : 0);
  return px_moment_check(ret_moment);
}

/* ---- writing */

static void print_number(GString *out, int number, int digits) {
  g_string_append_printf(out, "%0*d", digits, number);
}

static void print_offset(GString *out, int offset) {
  int minutes = ABS(offset) / 60;
  g_string_append_printf(out, "%c%02d%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static void print_name(GString *out, const char *name, bool whole) {
  g_string_append_len(out, name, whole ? (gssize)strlen(name) : SHORT_NAME);
}

static bool print_part(GString *out, const PxMoment *moment, char letter, int digits) {
  int hour = moment->hour % 12 ? moment->hour % 12 : 12;
  switch (letter) {
  case 'Y':
    print_number(out, moment->year, 4);
    return true;
  case 'y':
    print_number(out, moment->year % 100, 2);
    return moment->year >= 1900 + PIVOT_YEAR && moment->year < 2000 + PIVOT_YEAR;
  case 'm':
    print_number(out, moment->month, digits);
    return true;
  case 'b':
  case 'B':
    print_name(out, months[moment->month - 1], letter == 'B');
    return true;
  case 'a':
  case 'A':
    print_name(out, days[px_moment_weekday(moment)], letter == 'A');
    return true;
  case 'e':
    print_number(out, moment->day, 1);
    return true;
  case 'd':
    print_number(out, moment->day, digits);
    return true;
  case 'H':
    print_number(out, moment->hour, digits);
    return true;
  case 'I':
    print_number(out, hour, digits);
    return true;
  case 'p':
    g_string_append(out, moment->hour < 12 ? "AM" : "PM");
    return true;
  case 'M':
    print_number(out, moment->minute, digits);
    return true;
  case 'S':
    print_number(out, moment->second, digits);
    return true;
  case 'f':
    g_string_append_printf(out, "%.*s%s", (int)moment->n_fraction, moment->fraction, "000000" + moment->n_fraction);
    return true;
  case 'z':
    print_offset(out, moment->offset);
    return moment->has_offset && moment->offset % 60 == 0;
  default:
    return false;
  }
}

bool px_moment_print(const char *format, const PxMoment *moment, GString *out) {
  bool ok = true;
  for (const char *f = format; *f; f++) {
    if (*f != '%' || f[1] == '%') {
      g_string_append_c(out, *f);
      f += *f == '%';
      continue;
    }
    bool bare = f[1] == '-';
    f += bare ? 2 : 1;
    const char *more = expansion(*f);
    ok = (more ? px_moment_print(more, moment, out) : print_part(out, moment, *f, bare ? 1 : 2)) && ok;
  }
  return ok;
}

/* ---- checking */

typedef struct {
  unsigned given[N_PARTS];
  bool twelve;
} Parts;

static char *count_parts(const char *format, Parts *parts) {
  for (const char *f = format; *f; f++) {
    if (*f != '%')
      continue;
    f++;
    if (*f == '%')
      continue;
    if (*f == '-')
      f++;
    const char *more = *f ? expansion(*f) : NULL;
    const Directive *directive = directive_of(*f);
    if (more) {
      (void)count_parts(more, parts);
    } else if (directive) {
      parts->given[directive->part]++;
      parts->twelve |= directive->letter == 'I';
    } else {
      int len = *f ? g_utf8_skip[(unsigned char)*f] : 0;
      return g_strdup_printf("%%%.*s is none of %%Y %%y %%m %%d %%e %%b %%B %%a %%A %%H %%I %%p %%M %%S %%f %%z %%T %%R %%F %%D %%%%", len, f);
    }
  }
  return NULL;
}

char *px_time_format_problem(const char *format, bool with_time) {
  Parts parts = {0};
  char *problem = count_parts(format, &parts);
  if (problem)
    return problem;
  for (Part part = YEAR; part < N_PARTS; part++) {
    if (parts.given[part] > 1)
      return g_strdup_printf("the %s is there twice", part_names[part]);
    if (part <= DAY && !parts.given[part])
      return g_strdup_printf("the %s is missing", part_names[part]);
    if (part > DAY && part != WEEKDAY && !with_time && parts.given[part])
      return g_strdup_printf("a date has no %s", part_names[part]);
  }
  if (parts.twelve != (parts.given[HALF] > 0))
    return g_strdup(parts.twelve ? "%I counts to 12: %p is missing" : "%p says which half of the day %I means: %I is missing");
  return NULL;
}
