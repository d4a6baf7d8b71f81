/* SPDX-License-Identifier: Apache-2.0 */
/* A NUL stands behind the window and cannot stand in it, so that loops need no other bound: what meets it wants more, or the part ends there. */
#include "format/xlsx_read_xml.h"

#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

#define WINDOW ((size_t)256 * 1024)
#define LEAST_WINDOW 16 /* the byte order mark and the XML declaration's first bytes are seen at once */
#define PAD 64          /* readable behind the window */

bool px_xml_open(PxXml *xml, const PxZip *zip, const PxZipMember *member, size_t max_token, uint64_t max_depth, GError **error) {
  return px_xml_open_sized(xml, zip, member, 0, max_token, max_depth, error);
}

bool px_xml_open_sized(PxXml *xml, const PxZip *zip, const PxZipMember *member, size_t window, size_t max_token, uint64_t max_depth, GError **error) {
  xml->max_depth = (size_t)CLAMP(max_depth, 1, PX_XML_MAX_DEPTH);
  xml->capacity = window ? MAX(window, LEAST_WINDOW) : WINDOW;
  xml->max = MAX(max_token, xml->capacity);
  xml->bytes = g_malloc(xml->capacity + PAD);
  memset(xml->bytes, 0, PAD);
  xml->at = xml->bytes;
  xml->stream = px_zip_stream_open(zip, member, error);
  return xml->stream != NULL;
}

void px_xml_close(PxXml *xml) {
  px_zip_stream_close(xml->stream);
  g_free(xml->bytes);
  *xml = (PxXml){0};
}

static PxXmlKind bad(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static PxXmlKind bad(GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "broken XML: %s", what);
  return PX_XML_BAD;
}

/* ---- the window */

static bool starts_with(const PxXml *xml, size_t filled, const char *bytes, size_t len) {
  return filled >= len && memcmp(xml->bytes, bytes, len) == 0;
}

/* The first bytes say whether these are UTF-8. */
static bool begin(PxXml *xml, size_t filled, GError **error) {
  static const char *const utf16[] = {"\xFF\xFE", "\xFE\xFF", "<\0", "\0<"};
  xml->started = true;
  for (size_t i = 0; i < G_N_ELEMENTS(utf16); i++)
    if (starts_with(xml, filled, utf16[i], 2)) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the part is written in UTF-16: open the workbook in a spreadsheet program and save it again");
      return false;
    }
  if (starts_with(xml, filled, "\xEF\xBB\xBF", 3))
    memset(xml->bytes, ' ', 3);
  return true;
}

/* Finds the last whole character of filled bytes and hides what stands behind it. What is wrong with that is told when the reader gets there,
 * so that the place is right. */
static void validate(PxXml *xml, size_t filled) {
  xml->len += px_utf8_prefix(xml->bytes + xml->len, filled - xml->len);
  xml->n_cut = filled - xml->len;
  if (xml->n_cut > 0 && (xml->at_end || xml->n_cut > 3 || !px_utf8_cut(xml->bytes + xml->len, xml->n_cut))) {
    xml->complaint = xml->bytes[xml->len] ? "a byte that is not UTF-8" : "a byte is NUL";
    xml->at_end = false;
    xml->n_cut = 0;
  }
  memcpy(xml->cut, xml->bytes + xml->len, xml->n_cut);
  memset(xml->bytes + xml->len, 0, PAD);
}

/* Moves what is kept to the front of the window, or of a larger one. */
static bool make_room(PxXml *xml, const char *keep, size_t kept, GError **error) {
  size_t need = kept + xml->n_cut;
  if (need == xml->capacity && xml->capacity >= xml->max) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "a row, a tag or a text of more than %zu bytes of XML", kept);
    return false;
  }
  if (need <= xml->capacity / 2 || xml->capacity >= xml->max) {
    memmove(xml->bytes, keep, kept);
    return true;
  }
  xml->capacity = MIN(xml->capacity * 2, xml->max);
  char *block = g_try_malloc(xml->capacity + PAD);
  if (!block) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "out of memory for %zu bytes of XML", xml->capacity);
    return false;
  }
  memcpy(block, keep, kept);
  g_free(xml->bytes);
  xml->bytes = block;
  return true;
}

bool px_xml_fill(PxXml *xml, const char *keep, GError **error) {
  size_t kept = xml->len - (size_t)(keep - xml->bytes);
  if (xml->complaint) {
    bad(error, "%s", xml->complaint);
    return false;
  }
  if (!make_room(xml, keep, kept, error))
    return false;
  memcpy(xml->bytes + kept, xml->cut, xml->n_cut);
  xml->at = xml->bytes;
  xml->len = kept;
  size_t filled = kept + xml->n_cut;
  size_t room = xml->capacity - filled;
  size_t got;
  if (!px_zip_stream_read(xml->stream, xml->bytes + filled, room, &got, error))
    return false;
  xml->at_end = got < room;
  xml->consumed = px_zip_stream_used(xml->stream);
  filled += got;
  if (!xml->started && !begin(xml, filled, error))
    return false;
  validate(xml, filled);
  return true;
}

/* ---- tokens */

/* What ends a name or a blank. */
static inline bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool ends_name(char c) {
  return c == '>' || c == '/' || c == '=' || c == '<' || c == '\0' || is_blank(c);
}

static inline const char *skip_blanks(const char *p) {
  while (is_blank(*p))
    p++;
  return p;
}

/* The end of the name at p; *ret_local is what follows the prefix, *ret_hash tells names apart. */
static inline const char *scan_name(const char *p, const char **ret_local, uint64_t *ret_hash) {
  uint64_t hash = 0;
  const char *local = p;
  for (; !ends_name(*p); p++) {
    hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001B3);
    if (*p == ':')
      local = p + 1;
  }
  *ret_local = local;
  *ret_hash = hash;
  return p;
}

/* Reading met what cannot stand there: the end of the window, or an error. */
static PxXmlKind stop(const PxXml *xml, const char *p, const char *what, GError **error) {
  if (p < xml->bytes + xml->len)
    return bad(error, "%s", what);
  if (!xml->at_end)
    return PX_XML_MORE;
  return bad(error, "it ends inside a tag");
}

static PxXmlKind next_end(PxXml *xml, PxXmlToken *token, GError **error) {
  const char *local;
  uint64_t hash;
  const char *p = scan_name(xml->at + 2, &local, &hash);
  const char *name_end = p;
  p = skip_blanks(p);
  if (*p != '>')
    return stop(xml, p, "a closing tag with more than a name", error);
  if (xml->depth == 0 || xml->open[xml->depth - 1] != hash) {
    g_autofree char *name = px_text_quote(local, (size_t)(name_end - local));
    return bad(error, "a closing tag %s that closes nothing", name);
  }
  xml->depth--;
  xml->at = p + 1;
  *token = (PxXmlToken){.ptr = local, .len = (size_t)(name_end - local)};
  return PX_XML_END;
}

/* p is behind the blank before an attribute's name. NULL: *ret_kind says why not. */
static const char *scan_attribute(PxXml *xml, const char *p, PxXmlKind *ret_kind, GError **error) {
  const char *local;
  uint64_t hash;
  const char *name_end = scan_name(p, &local, &hash);
  p = skip_blanks(name_end);
  if (*p != '=' || name_end == local) {
    *ret_kind = stop(xml, p, "a tag with something that is no attribute", error);
    return NULL;
  }
  p = skip_blanks(p + 1);
  char quote = *p;
  if (quote != '"' && quote != '\'') {
    *ret_kind = stop(xml, p, "an attribute without quotes", error);
    return NULL;
  }
  const char *value = ++p;
  while (*p != quote && *p != '<' && *p != '\0')
    p++;
  if (*p != quote) {
    *ret_kind = stop(xml, p, "an attribute without an end", error);
    return NULL;
  }
  if (xml->n_attributes == PX_XML_MAX_ATTRIBUTES) {
    *ret_kind = bad(error, "a tag of more than %d attributes", PX_XML_MAX_ATTRIBUTES);
    return NULL;
  }
  xml->attributes[xml->n_attributes++] =
    (PxXmlAttribute){.name = local, .value = value, .name_len = (uint32_t)(name_end - local), .value_len = (uint32_t)(p - value)};
  return p + 1;
}

static PxXmlKind next_start(PxXml *xml, PxXmlToken *token, GError **error) {
  const char *local;
  uint64_t hash;
  const char *p = scan_name(xml->at + 1, &local, &hash);
  const char *name_end = p;
  xml->n_attributes = 0;
  if (local == name_end)
    return stop(xml, p, "a tag without a name", error);
  for (;;) {
    const char *before = p;
    p = skip_blanks(p);
    if (*p == '>' || *p == '/')
      break;
    PxXmlKind kind;
    if (p == before)
      return stop(xml, p, "a tag with something that is no attribute", error);
    p = scan_attribute(xml, p, &kind, error);
    if (!p)
      return kind;
  }
  bool empty = *p == '/';
  p += empty;
  if (*p != '>')
    return stop(xml, p, "a tag with a stroke in it", error);
  if (!empty) {
    if (xml->depth == xml->max_depth)
      return bad(error, "more than %zu elements within one another", xml->max_depth);
    xml->open[xml->depth++] = hash;
  }
  if (xml->rooted && xml->depth == (empty ? 0 : 1))
    return bad(error, "more than one root element");
  xml->rooted = true;
  xml->at = p + 1;
  *token = (PxXmlToken){.ptr = local, .len = (size_t)(name_end - local), .empty = empty};
  return PX_XML_START;
}

static PxXmlKind next_text(PxXml *xml, PxXmlToken *token, GError **error) {
  PxXmlMarks marks = {false, false};
  const char *end = px_xml_scan_text(xml->at, &marks);
  if (*end == '\0' && end < xml->bytes + xml->len)
    return bad(error, "a byte is NUL");
  if (*end == '\0' && !xml->at_end)
    return PX_XML_MORE;
  if (xml->depth == 0) {
    if (skip_blanks(xml->at) != end)
      return bad(error, "text outside of its root element");
    if (*end == '\0') {
      xml->at = end;
      return xml->rooted ? PX_XML_EOF : bad(error, "there is nothing in it");
    }
  } else if (*end == '\0') {
    return bad(error, "it ends before its elements are closed");
  }
  token->ptr = xml->at;
  token->len = (size_t)(end - xml->at);
  token->empty = false;
  token->escaped = marks.escaped;
  token->underscore = marks.underscore;
  xml->at = end;
  return PX_XML_TEXT;
}

/* Behind what ends at mark; NULL: *ret_kind says why not. */
static const char *behind(const PxXml *xml, const char *from, const char *mark, PxXmlKind *ret_kind, GError **error) {
  size_t len = strlen(mark);
  const char *end = xml->bytes + xml->len;
  const char *found = from < end ? memmem(from, (size_t)(end - from), mark, len) : NULL;
  if (found)
    return found + len;
  *ret_kind = xml->at_end ? bad(error, "it ends before %s", mark) : PX_XML_MORE;
  return NULL;
}

/* <?xml version="1.0" encoding="..."?> and other instructions. */
static const char *skip_instruction(PxXml *xml, PxXmlKind *ret_kind, GError **error) {
  const char *from = xml->at;
  const char *end = behind(xml, from, "?>", ret_kind, error);
  const char *name = end && strncmp(from, "<?xml ", 6) == 0 ? memmem(from, (size_t)(end - from), "encoding", 8) : NULL;
  if (!name)
    return end;
  size_t quotes = strcspn(name, "\"'");
  const char *value = name + quotes + 1;
  if (value >= end || g_ascii_strncasecmp(value, "utf-8", 5) == 0 || g_ascii_strncasecmp(value, "us-ascii", 8) == 0)
    return end;
  g_autofree char *shown = px_text_quote(value, strcspn(value, "\"'?"));
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the part is written in %s, not UTF-8: open the workbook in a spreadsheet program and save it again",
              shown);
  *ret_kind = PX_XML_BAD;
  return NULL;
}

#define SPECIAL_LONGEST 9 /* of what tells <! apart: <![CDATA[ and <!DOCTYPE */

/* <! and <?; PX_XML_START stands for: passed over. */
static PxXmlKind next_special(PxXml *xml, PxXmlToken *token, GError **error) {
  PxXmlKind kind = PX_XML_START;
  const char *p = xml->at;
  size_t left = (size_t)(xml->bytes + xml->len - p);
  if (left < SPECIAL_LONGEST && !xml->at_end)
    return PX_XML_MORE;
  if (p[1] == '?') {
    p = skip_instruction(xml, &kind, error);
  } else if (strncmp(p, "<!--", 4) == 0) {
    p = behind(xml, p + 4, "-->", &kind, error);
  } else if (strncmp(p, "<![CDATA[", 9) == 0 && xml->depth > 0) {
    p = behind(xml, p + 9, "]]>", &kind, error);
    if (p) {
      *token = (PxXmlToken){.ptr = xml->at + 9, .len = (size_t)(p - 3 - xml->at - 9), .underscore = true};
      token->escaped = memchr(token->ptr, '\r', token->len) != NULL;
      kind = PX_XML_CDATA;
    }
  } else if (strncmp(p, "<!DOCTYPE", 9) == 0) {
    return bad(error, "it has a DOCTYPE, which no spreadsheet program writes and XML bombs are made of");
  } else {
    return bad(error, "a tag that begins with <!");
  }
  if (p)
    xml->at = p;
  return kind;
}

PxXmlKind px_xml_next(PxXml *xml, PxXmlToken *token, GError **error) {
  for (;;) {
    if (*xml->at != '<')
      return xml->at == xml->bytes + xml->len && !xml->at_end ? PX_XML_MORE : next_text(xml, token, error);
    switch (xml->at[1]) {
    case '/':
      return next_end(xml, token, error);
    case '!':
    case '?': {
      PxXmlKind kind = next_special(xml, token, error);
      if (kind != PX_XML_START)
        return kind;
      break;
    }
    default:
      return next_start(xml, token, error);
    }
  }
}

PxXmlKind px_xml_next_filled(PxXml *xml, PxXmlToken *token, GError **error) {
  for (;;) {
    PxXmlKind kind = px_xml_next(xml, token, error);
    if (kind != PX_XML_MORE)
      return kind;
    if (!px_xml_fill(xml, xml->at, error))
      return PX_XML_BAD;
  }
}

const PxXmlAttribute *px_xml_attribute(const PxXml *xml, const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < xml->n_attributes; i++)
    if (xml->attributes[i].name_len == len && memcmp(xml->attributes[i].name, name, len) == 0)
      return &xml->attributes[i];
  return NULL;
}

/* ---- entities */

static const char *decode_number(const char *p, const char *end, gunichar *ret_char) {
  bool hex = p < end && *p == 'x';
  gunichar c = 0;
  const char *digits = p += hex;
  for (; p < end && *p != ';'; p++) {
    int digit = hex ? g_ascii_xdigit_value(*p) : g_ascii_digit_value(*p);
    if (digit < 0 || c > 0x10FFFF)
      return NULL;
    c = c * (hex ? 16 : 10) + (gunichar)digit;
  }
  if (p == end || p == digits || c == 0 || !g_unichar_validate(c))
    return NULL;
  *ret_char = c;
  return p + 1;
}

/* p is at an &. The end of the entity; NULL: there is none. */
static const char *decode_entity(const char *p, const char *end, gunichar *ret_char) {
  static const struct {
    const char *text;
    uint32_t len;
    gunichar c;
  } known[] = {{"&amp;", 5, '&'}, {"&lt;", 4, '<'}, {"&gt;", 4, '>'}, {"&quot;", 6, '"'}, {"&apos;", 6, '\''}};
  size_t left = (size_t)(end - p);
  if (left > 2 && p[1] == '#')
    return decode_number(p + 2, end, ret_char);
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (left >= known[i].len && memcmp(p, known[i].text, known[i].len) == 0) {
      *ret_char = known[i].c;
      return p + known[i].len;
    }
  return NULL;
}

size_t px_xml_decode(const char *text, size_t len, char *to, const char **ret_bad) {
  const char *end = text + len;
  char *out = to;
  for (const char *p = text; p < end;) {
    gunichar c;
    if (*p == '\r') { /* XML 1.0 2.11: any line end is a line feed */
      *out++ = '\n';
      p += p + 1 < end && p[1] == '\n' ? 2 : 1;
    } else if (*p != '&') {
      *out++ = *p++;
    } else {
      const char *next = decode_entity(p, end, &c);
      if (!next) {
        *ret_bad = p;
        return SIZE_MAX;
      }
      out += g_unichar_to_utf8(c, out);
      p = next;
    }
  }
  return (size_t)(out - to);
}
