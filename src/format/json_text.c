/* SPDX-License-Identifier: Apache-2.0 */
#include "format/json_private.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The first quote, backslash or control character; a zero byte is one. */
static const char *plain_end(const char *at) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control = _mm_set1_epi8(0x1F);
  for (;; at += 16) {
    __m128i bytes;
    memcpy(&bytes, at, sizeof bytes);
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
    marks = _mm_or_si128(marks, _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
    int found = _mm_movemask_epi8(marks);
    if (found)
      return at + __builtin_ctz((unsigned)found);
  }
#else
  while ((unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
    at++;
  return at;
#endif
}

/* Four hexadecimal digits; -1: the one at *ret_at is none. */
static int hex4(const char *at, const char **ret_at) {
  int code = 0;
  for (int i = 0; i < 4; i++) {
    int digit = g_ascii_xdigit_value(at[i]);
    if (digit < 0) {
      *ret_at = at + i;
      return -1;
    }
    code = code * 16 + digit;
  }
  return code;
}

/* Behind \u; the end of the escape or of the pair. NULL as px_json_string_end(). */
static const char *unicode_end(const char *at, const char **ret_at, const char **ret_problem) {
  static const char lone[] = "half of a surrogate pair: \\uD800 to \\uDBFF and \\uDC00 to \\uDFFF stand together";
  int code = hex4(at, ret_at);
  *ret_problem = "four hexadecimal digits are expected behind \\u";
  if (code < 0)
    return NULL;
  *ret_at = at + 3;
  *ret_problem = "a NUL character (\\u0000), which no field can hold";
  if (code == 0)
    return NULL;
  *ret_problem = lone;
  if (code >= 0xDC00 && code <= 0xDFFF)
    return NULL;
  at += 4;
  if (code < 0xD800 || code > 0xDFFF)
    return at;
  for (int i = 0; i < 2; i++)
    if (at[i] != "\\u"[i]) {
      *ret_at = at + i;
      return NULL;
    }
  *ret_at = at + 5;
  int low = hex4(at + 2, ret_at);
  return low >= 0xDC00 && low <= 0xDFFF ? at + 6 : NULL;
}

const char *px_json_string_end(const char *text, bool *ret_escaped, const char **ret_at, const char **ret_problem) {
  *ret_escaped = false;
  for (const char *at = text;;) {
    at = plain_end(at);
    if (*at == '"')
      return at;
    *ret_at = at;
    *ret_problem = "a control character in a string: it is written as an escape, as \\n";
    if (*at != '\\')
      return NULL;
    *ret_escaped = true;
    if (at[1] == 'u') {
      at = unicode_end(at + 2, ret_at, ret_problem);
      if (!at)
        return NULL;
    } else if (at[1] && strchr("\"\\/bfnrt", at[1])) {
      at += 2;
    } else {
      *ret_at = at + 1;
      *ret_problem = "an unknown escape: there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u";
      return NULL;
    }
  }
}

static size_t put_char(gunichar code, char *to) {
  return (size_t)g_unichar_to_utf8(code, to);
}

size_t px_json_unescape(const char *text, size_t len, char *to) {
  const char *end = text + len;
  char *out = to;
  while (text < end) {
    const char *mark = memchr(text, '\\', (size_t)(end - text));
    size_t plain = (size_t)((mark ? mark : end) - text);
    memmove(out, text, plain);
    out += plain;
    if (!mark)
      break;
    const char *digits;
    char c = mark[1];
    text = mark + 2;
    if (c != 'u') {
      *out++ = c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
      continue;
    }
    gunichar code = (gunichar)hex4(text, &digits);
    text += 4;
    if (code >= 0xD800 && code <= 0xDFFF) {
      code = 0x10000 + ((code - 0xD800) << 10) + ((gunichar)hex4(text + 2, &digits) - 0xDC00);
      text += 6;
    }
    out += put_char(code, out);
  }
  return (size_t)(out - to);
}
