/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in the binary format of COPY ("COPY", File Formats, of PostgreSQL's manual), each value as the function of its type that receives it reads it
 * (typreceive of pg_type). The server reads numbers and dates at a third of what their text costs it. */
#include "base/calendar.h"
#include "base/number.h"
#include "db/pg_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CELL_ROOM (PX_NUMBER_TEXT_SIZE + 24) /* bytes of a cell beside those of its text */
#define FIRST_DAY 10957                      /* 2000-01-01, from 1970-01-01 */
#define DAY_MICROSECONDS INT64_C(86400000000)
#define MAX_BEFORE 131072 /* digits in front of the point, and behind it ("8.1.2. Arbitrary Precision Numbers") */
#define MAX_BEHIND 16383

/* Writes a value without its length; how many bytes that are, -1: only the text says it. */
typedef gssize (*Put)(char *to, const PxValue *value);

static char *put16(char *to, int number) {
  uint16_t bytes = GUINT16_TO_BE((uint16_t)number);
  return (char *)memcpy(to, &bytes, sizeof bytes) + sizeof bytes;
}

static char *put32(char *to, int64_t number) {
  uint32_t bytes = GUINT32_TO_BE((uint32_t)number);
  return (char *)memcpy(to, &bytes, sizeof bytes) + sizeof bytes;
}

static char *put64(char *to, uint64_t number) {
  uint64_t bytes = GUINT64_TO_BE(number);
  return (char *)memcpy(to, &bytes, sizeof bytes) + sizeof bytes;
}

/* ---- numbers */

static gssize put_smallint(char *to, const PxValue *value) {
  if (value->kind != PX_INTEGER || value->integer != (int16_t)value->integer)
    return -1;
  return put16(to, (int)value->integer) - to;
}

static gssize put_integer(char *to, const PxValue *value) {
  if (value->kind != PX_INTEGER || value->integer != (int32_t)value->integer)
    return -1;
  return put32(to, value->integer) - to;
}

static gssize put_bigint(char *to, const PxValue *value) {
  return value->kind == PX_INTEGER ? put64(to, (uint64_t)value->integer) - to : -1;
}

static gssize put_boolean(char *to, const PxValue *value) {
  if (value->kind != PX_INTEGER || (value->integer != 0 && value->integer != 1))
    return -1;
  *to = (char)value->integer;
  return 1;
}

/* Zero has no sign, as in the text. */
static gssize put_double(char *to, const PxValue *value) {
  if (value->kind != PX_INTEGER && value->kind != PX_REAL)
    return -1;
  double real = (value->kind == PX_INTEGER ? (double)value->integer : value->real) + 0.0;
  uint64_t bits;
  memcpy(&bits, &real, sizeof bits);
  return put64(to, bits) - to;
}

/* What is no number of four bytes is rounded as a text, once. */
static gssize put_real(char *to, const PxValue *value) {
  if (value->kind != PX_REAL || fabs(value->real) > (double)FLT_MAX)
    return -1;
  float real = (float)value->real + 0.0f;
  if ((double)real < value->real || (double)real > value->real)
    return -1;
  uint32_t bits;
  memcpy(&bits, &real, sizeof bits);
  return put32(to, bits) - to;
}

/* Digits in groups of four, aligned at the point. NULL: there is something else among them. */
static char *put_groups(char *to, const char *digits, const char *end, const char *point) {
  unsigned filled = (4 - (unsigned)(point - digits) % 4) % 4;
  int group = 0;
  for (; digits < end; digits++) {
    if (digits == point)
      continue;
    unsigned digit = (unsigned char)*digits - (unsigned)'0';
    if (digit > 9)
      return NULL;
    group = group * 10 + (int)digit;
    if (++filled < 4)
      continue;
    to = put16(to, group);
    group = 0;
    filled = 0;
  }
  for (; filled % 4; filled++)
    group *= 10;
  return group ? put16(to, group) : to;
}

/* An exponent, NaN and infinity are for the text. */
static gssize put_numeric(char *to, const PxValue *value) {
  char buffer[PX_NUMBER_TEXT_SIZE];
  PxValue text = *value;
  if (value->kind == PX_INTEGER || value->kind == PX_REAL)
    text = px_value_text(buffer, px_number_text(value, buffer));
  if (text.kind != PX_TEXT || text.len == 0)
    return -1;
  bool negative = *text.text == '-';
  const char *digits = text.text + negative;
  const char *end = text.text + text.len;
  const char *point = memchr(digits, '.', (size_t)(end - digits));
  if (!point)
    point = end;
  gssize behind = point < end ? end - point - 1 : 0;
  if (point == digits || point - digits > MAX_BEFORE || behind > MAX_BEHIND)
    return -1;
  char *groups = to + 8;
  char *last = put_groups(groups, digits, end, point);
  if (!last)
    return -1;
  put16(to, (int)(last - groups) / 2);
  put16(to + 2, (int)(point - digits + 3) / 4 - 1);
  put16(to + 4, negative ? 0x4000 : 0);
  put16(to + 6, (int)behind);
  return last - to;
}

/* ---- dates */

/* Of YYYY-MM-DD; false: it is none. */
static bool read_date(const char *text, int64_t *ret_days) {
  int year = px_calendar_digits(text, 4);
  int month = px_calendar_digits(text + 5, 2);
  int day = px_calendar_digits(text + 8, 2);
  if (text[4] != '-' || text[7] != '-' || year < 1 || month < 1 || month > 12 || day < 1 || day > px_calendar_month_days(year, month))
    return false;
  *ret_days = px_calendar_days(year, month, day) - FIRST_DAY;
  return true;
}

static gssize put_date(char *to, const PxValue *value) {
  int64_t days;
  return value->kind == PX_TEXT && value->len == 10 && read_date(value->text, &days) ? put32(to, days) - to : -1;
}

/* Of HH:MM:SS, perhaps with up to six digits behind a point. */
static bool read_time(const char *text, size_t len, int64_t *ret_microseconds) {
  if (len < 8 || text[2] != ':' || text[5] != ':' || len == 9 || len > 15 || (len > 9 && text[8] != '.'))
    return false;
  int hour = px_calendar_digits(text, 2);
  int minute = px_calendar_digits(text + 3, 2);
  int second = px_calendar_digits(text + 6, 2);
  int fraction = len > 9 ? px_calendar_digits(text + 9, (unsigned)len - 9) : 0;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || fraction < 0)
    return false;
  for (size_t i = len; len > 9 && i < 15; i++)
    fraction *= 10;
  *ret_microseconds = ((hour * 60 + minute) * 60 + second) * INT64_C(1000000) + fraction;
  return true;
}

static gssize put_time(char *to, const PxValue *value) {
  int64_t time;
  return value->kind == PX_TEXT && read_time(value->text, value->len, &time) ? put64(to, (uint64_t)time) - to : -1;
}

static gssize put_moment(char *to, const PxValue *value, const char *zone) {
  size_t len = value->len;
  size_t behind = strlen(zone);
  int64_t days;
  int64_t time;
  if (value->kind != PX_TEXT || len < 19 + behind || memcmp(value->text + len - behind, zone, behind) != 0 || value->text[10] != ' ' ||
      !read_date(value->text, &days) || !read_time(value->text + 11, len - behind - 11, &time))
    return -1;
  return put64(to, (uint64_t)(days * DAY_MICROSECONDS + time)) - to;
}

static gssize put_timestamp(char *to, const PxValue *value) {
  return put_moment(to, value, "");
}

static gssize put_timestamptz(char *to, const PxValue *value) {
  return put_moment(to, value, "+00:00");
}

/* ---- texts */

static gssize put_text(char *to, const PxValue *value) {
  if (value->kind != PX_TEXT || px_pg_holds_zero(value))
    return -1;
  memcpy(to, value->text, value->len);
  return value->len;
}

/* A version in front. */
static gssize put_jsonb(char *to, const PxValue *value) {
  *to = 1;
  gssize len = put_text(to + 1, value);
  return len < 0 ? len : len + 1;
}

static gssize put_bytea(char *to, const PxValue *value) {
  if (value->kind != PX_BLOB)
    return -1;
  if (value->len)
    memcpy(to, value->text, value->len);
  return value->len;
}

static gssize put_uuid(char *to, const PxValue *value) {
  static const char form[] = "00000000-0000-0000-0000-000000000000";
  size_t n = 0;
  if (value->kind != PX_TEXT || value->len != sizeof form - 1)
    return -1;
  for (size_t i = 0; i < value->len; i++) {
    int digit = g_ascii_xdigit_value(value->text[i]);
    if (form[i] == '-' ? value->text[i] != '-' : digit < 0)
      return -1;
    if (form[i] == '-')
      continue;
    to[n / 2] = (char)(n % 2 ? (unsigned char)to[n / 2] | (unsigned)digit : (unsigned)digit << 4);
    n++;
  }
  return (gssize)n / 2;
}

/* ---- rows */

/* Numbers of the types in every database (pg_type.dat of PostgreSQL). */
static const struct {
  Oid type;
  Put put;
} known[] = {
  {25, put_text},          /* text */
  {1043, put_text},        /* varchar */
  {23, put_integer},       /* int4 */
  {1700, put_numeric},     /* numeric */
  {16, put_boolean},       /* bool */
  {1082, put_date},        /* date */
  {701, put_double},       /* float8 */
  {20, put_bigint},        /* int8 */
  {21, put_smallint},      /* int2 */
  {1184, put_timestamptz}, /* timestamptz */
  {1114, put_timestamp},   /* timestamp */
  {1083, put_time},        /* time */
  {700, put_real},         /* float4 */
  {2950, put_uuid},        /* uuid */
  {1042, put_text},        /* bpchar */
  {114, put_text},         /* json */
  {3802, put_jsonb},       /* jsonb */
  {17, put_bytea},         /* bytea */
};

static Put put_of(Oid type) {
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (type == known[i].type)
      return known[i].put;
  return NULL;
}

static bool append_row(GString *out, const Put *puts, const PxValue *cells, size_t n) {
  size_t at = out->len;
  size_t room = sizeof(uint16_t);
  for (size_t i = 0; i < n; i++)
    room += CELL_ROOM + (cells[i].kind == PX_TEXT || cells[i].kind == PX_BLOB ? cells[i].len : 0);
  g_string_set_size(out, at + room);
  char *to = put16(out->str + at, (int)n);
  for (size_t i = 0; i < n; i++) {
    gssize size = cells[i].kind == PX_NULL ? 0 : puts[i](to + sizeof(uint32_t), &cells[i]);
    if (size < 0)
      return false;
    to = put32(to, cells[i].kind == PX_NULL ? -1 : size) + size;
  }
  g_string_truncate(out, (gsize)(to - out->str));
  return true;
}

bool px_pg_append_binary_rows(GString *out, const Oid *types, const PxValue *cells, size_t n_columns, size_t n_rows) {
  static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
  g_autofree Put *puts = g_new(Put, n_columns);
  for (size_t i = 0; i < n_columns; i++) {
    puts[i] = put_of(types[i]);
    if (!puts[i])
      return false;
  }
  g_string_append_len(out, head, sizeof head);
  for (size_t row = 0; row < n_rows; row++)
    if (!append_row(out, puts, cells + row * n_columns, n_columns))
      return false;
  g_string_append_len(out, "\377\377", 2);
  return true;
}
