/* SPDX-License-Identifier: Apache-2.0 */
/* Text of cells and of shared strings: pieces, runs, escapes. */
#include "format/xlsx_read_private.h"

#include "base/text.h"

#include <string.h>

void px_xlsx_text_clear(PxXlsxText *text) {
  text->ptr = "";
  text->len = 0;
  text->copied = false;
  text->underscore = false;
}

static void append(PxXlsxText *text, const char *piece, size_t len) {
  if (!text->copy)
    text->copy = g_string_sized_new(256);
  if (!text->copied) {
    g_string_truncate(text->copy, 0);
    g_string_append_len(text->copy, text->ptr, (gssize)text->len);
    text->copied = true;
  }
  g_string_append_len(text->copy, piece, (gssize)len);
  text->ptr = text->copy->str;
  text->len = text->copy->len;
}

static bool append_decoded(PxXlsxText *text, const PxXmlToken *token, GError **error) {
  const char *bad;
  append(text, token->ptr, token->len);
  char *piece = text->copy->str + text->len - token->len;
  size_t len = px_xml_decode(piece, token->len, piece, &bad);
  if (len == SIZE_MAX) {
    size_t left = (size_t)(piece + token->len - bad);
    const char *end = memchr(bad, ';', left);
    g_autofree char *shown = px_text_quote(bad, end ? (size_t)(end - bad) + 1 : MIN(left, 10));
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "broken XML: %s is no character", shown);
    return false;
  }
  g_string_truncate(text->copy, text->len - token->len + len);
  text->ptr = text->copy->str;
  text->len = text->copy->len;
  return true;
}

bool px_xlsx_text_add(PxXlsxText *text, const PxXmlToken *token, PxXmlKind kind, GError **error) {
  text->underscore |= token->underscore | token->escaped; /* an entity may stand for one */
  if (G_UNLIKELY(token->escaped)) {
    if (kind == PX_XML_TEXT)
      return append_decoded(text, token, error);
    for (size_t from = 0; from < token->len;) { /* line ends are the only thing that is decoded in CDATA */
      size_t n = strcspn(token->ptr + from, "\r");
      n = MIN(n, token->len - from);
      append(text, token->ptr + from, n);
      from += n;
      if (from < token->len) {
        append(text, "\n", 1);
        from += from + 1 < token->len && token->ptr[from + 1] == '\n' ? 2 : 1;
      }
    }
    return true;
  }
  if (text->len == 0 && !text->copied) {
    text->ptr = token->ptr;
    text->len = token->len;
  } else {
    append(text, token->ptr, token->len);
  }
  return true;
}

PxXmlKind px_xlsx_skip(PxXml *xml, GError **error) {
  size_t depth = xml->depth;
  for (;;) {
    PxXmlToken token;
    PxXmlKind kind = px_xml_next(xml, &token, error);
    if (kind == PX_XML_MORE || kind == PX_XML_BAD || (kind == PX_XML_END && xml->depth < depth))
      return kind;
  }
}

PxXmlKind px_xlsx_text_of(PxXml *xml, PxXlsxText *text, GError **error) {
  for (;;) {
    PxXmlToken token;
    PxXmlKind kind = px_xml_next(xml, &token, error);
    switch (kind) {
    case PX_XML_TEXT:
    case PX_XML_CDATA:
      if (!px_xlsx_text_add(text, &token, kind, error))
        return PX_XML_BAD;
      break;
    case PX_XML_START:
      kind = token.empty ? PX_XML_END : px_xlsx_skip(xml, error);
      if (kind != PX_XML_END)
        return kind;
      break;
    case PX_XML_END:
    case PX_XML_MORE:
    case PX_XML_EOF:
    case PX_XML_BAD:
      return kind;
    }
  }
}

/* in_run: behind the start of an r, which has no runs of its own. */
static PxXmlKind rich_text(PxXml *xml, PxXlsxText *text, bool in_run, GError **error) {
  for (;;) {
    PxXmlToken token;
    PxXmlKind kind = px_xml_next(xml, &token, error);
    if (kind == PX_XML_TEXT || kind == PX_XML_CDATA)
      continue;
    if (kind != PX_XML_START)
      return kind;
    if (token.empty)
      continue;
    if (px_xml_is(&token, "t", 1))
      kind = px_xlsx_text_of(xml, text, error);
    else if (!in_run && px_xml_is(&token, "r", 1))
      kind = rich_text(xml, text, true, error);
    else
      kind = px_xlsx_skip(xml, error);
    if (kind != PX_XML_END)
      return kind;
  }
}

PxXmlKind px_xlsx_rich_text(PxXml *xml, PxXlsxText *text, GError **error) {
  return rich_text(xml, text, false, error);
}

/* ---- _xHHHH_ */

/* The UTF-16 unit that an escape at p stands for; -1: there is none. */
static int unit_at(const char *p, const char *end) {
  if (end - p < 7 || p[0] != '_' || p[1] != 'x' || p[6] != '_')
    return -1;
  int unit = 0;
  for (int i = 2; i < 6; i++) {
    int digit = g_ascii_xdigit_value(p[i]);
    if (digit < 0)
      return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

/* Writes what the escape at *p stands for. false: it is no escape, or of something that text cannot hold, and stays as it is. */
static bool unescape(const char **p, const char *end, char **out) {
  int unit = unit_at(*p, end);
  int low = unit >= 0xD800 && unit < 0xDC00 ? unit_at(*p + 7, end) : -1;
  gunichar c = (gunichar)unit;
  if (low >= 0xDC00 && low < 0xE000)
    c = 0x10000 + ((gunichar)(unit - 0xD800) << 10) + (gunichar)(low - 0xDC00);
  if (unit <= 0 || !g_unichar_validate(c))
    return false;
  *p += c >= 0x10000 ? 14 : 7;
  *out += g_unichar_to_utf8(c, *out);
  return true;
}

void px_xlsx_text_unescape(PxXlsxText *text) {
  if (G_LIKELY(!text->underscore || text->len < 7 || !memmem(text->ptr, text->len, "_x", 2)))
    return;
  append(text, "", 0);
  char *out = text->copy->str;
  const char *end = out + text->len;
  for (const char *p = out; p < end;)
    if (*p != '_' || !unescape(&p, end, &out))
      *out++ = *p++;
  g_string_truncate(text->copy, (gsize)(out - text->copy->str));
  text->len = text->copy->len;
}
