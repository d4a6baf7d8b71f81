/* SPDX-License-Identifier: Apache-2.0 */
#include "format/xlsx_edit.h"

#include <string.h>

#define FLUSHED ((gsize)64 * 1024)
#define MAX_TOKEN ((size_t)16 * 1024 * 1024)
#define MOST_HELD ((size_t)64 * 1024 * 1024)

void px_edit_init(PxEdit *edit, PxEditToken on_token, void *data, const PxShift *shift, bool own) {
  *edit = (PxEdit){.on_token = on_token, .data = data, .shift = shift, .own = own, .most = MOST_HELD};
  edit->out = g_string_new(NULL);
  edit->tag = g_string_new(NULL);
  edit->text = g_string_new(NULL);
}

void px_edit_done(PxEdit *edit) {
  px_xml_close(&edit->xml);
  g_string_free(edit->out, TRUE);
  g_string_free(edit->tag, TRUE);
  g_string_free(edit->text, TRUE);
}

bool px_edit_refuse(GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error_literal(error, PX_ERROR, PX_ERROR_REFUSED, what);
  return false;
}

/* ---- the stream */

static PxXmlKind next_token(PxEdit *edit, GError **error) {
  PxXml *xml = &edit->xml;
  for (;;) {
    const char *from = xml->at;
    PxXmlKind kind = px_xml_next(xml, &edit->token, error);
    if (kind == PX_XML_MORE) {
      if (!px_xml_fill(xml, from, error))
        return PX_XML_BAD;
      continue;
    }
    edit->raw = from;
    edit->raw_len = (size_t)(xml->at - from);
    edit->level = xml->depth + (kind == PX_XML_END || (kind == PX_XML_START && edit->token.empty));
    return kind;
  }
}

static bool flush(PxEdit *edit, PxZipWriter *to, gsize above, GError **error) {
  if (edit->marks > 0 && above > 0) {
    if (edit->out->len > edit->most)
      return px_edit_refuse(error, "a list of more than %zu bytes", edit->most);
    return true;
  }
  if (edit->out->len < above)
    return true;
  bool ok = !to || px_zip_writer_add(to, edit->out->str, edit->out->len, error);
  g_string_truncate(edit->out, 0);
  return ok;
}

static bool run_tokens(PxEdit *edit, PxZipWriter *to, GError **error) {
  bool first = true;
  for (;;) {
    PxXmlKind kind = next_token(edit, error);
    if (kind == PX_XML_BAD)
      return false;
    for (; first && edit->raw_len > 0 && *edit->raw == ' '; edit->raw_len--) /* where a byte order mark stood */
      edit->raw++;
    first = false;
    if (kind == PX_XML_EOF) {
      px_edit_keep(edit);
      return flush(edit, to, 0, error);
    }
    if (edit->dropped > 0) {
      if (kind == PX_XML_END && edit->level == edit->dropped)
        edit->dropped = 0;
      continue;
    }
    if (!edit->on_token(edit, kind, error) || !flush(edit, to, FLUSHED, error))
      return false;
  }
}

bool px_edit_run(PxEdit *edit, const PxZip *zip, const PxZipMember *member, PxZipWriter *to, GError **error) {
  bool ok = px_xml_open(&edit->xml, zip, member, MAX_TOKEN, PX_XML_MAX_DEPTH, error) && run_tokens(edit, to, error);
  if (!ok)
    g_prefix_error(error, "%s: ", member->name);
  return ok;
}

/* ---- what goes out */

void px_edit_keep(PxEdit *edit) {
  g_string_append_len(edit->out, edit->raw, (gssize)edit->raw_len);
}

void px_edit_drop(PxEdit *edit) {
  edit->changed = true;
  if (!edit->token.empty)
    edit->dropped = edit->level;
}

void px_edit_escape(GString *to, const char *text, size_t len) {
  const char *end = text + len;
  for (const char *p = text; p < end; p++) {
    if (*p == '&')
      g_string_append(to, "&amp;");
    else if (*p == '<')
      g_string_append(to, "&lt;");
    else if (*p == '>')
      g_string_append(to, "&gt;");
    else if (*p == '"')
      g_string_append(to, "&quot;");
    else
      g_string_append_c(to, *p);
  }
}

static const PxNewAttribute *find_new(const PxXmlAttribute *attribute, const PxNewAttribute *attributes, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strlen(attributes[i].name) == attribute->name_len && memcmp(attributes[i].name, attribute->name, attribute->name_len) == 0)
      return &attributes[i];
  return NULL;
}

static void put_value(PxEdit *edit, const char *value, char quote) {
  if (quote == '"') {
    px_edit_escape(edit->out, value, strlen(value));
    return;
  }
  g_auto(GStrv) pieces = g_strsplit(value, "'", -1);
  for (size_t i = 0; pieces[i]; i++) {
    if (i > 0)
      g_string_append(edit->out, "&apos;");
    px_edit_escape(edit->out, pieces[i], strlen(pieces[i]));
  }
}

void px_edit_tag(PxEdit *edit, const PxNewAttribute *attributes, size_t n) {
  const char *p = edit->raw;
  const char *end = edit->raw + edit->raw_len;
  const char *close = end - (edit->token.empty ? 2 : 1);
  edit->changed = true;
  for (size_t i = 0; i < edit->xml.n_attributes; i++) {
    const PxXmlAttribute *old = &edit->xml.attributes[i];
    const PxNewAttribute *new = old->name[-1] == ':' ? NULL : find_new(old, attributes, n);
    if (!new)
      continue;
    g_string_append_len(edit->out, p, (new->value ? old->value : old->name - 1) - p);
    if (new->value)
      put_value(edit, new->value, old->value[-1]);
    p = old->value + old->value_len + (new->value ? 0 : 1);
  }
  g_string_append_len(edit->out, p, close - p);
  for (size_t i = 0; i < n; i++) {
    if (!attributes[i].add || px_xml_attribute(&edit->xml, attributes[i].name))
      continue;
    g_string_append_printf(edit->out, " %s=\"", attributes[i].name);
    px_edit_escape(edit->out, attributes[i].value, strlen(attributes[i].value));
    g_string_append_c(edit->out, '"');
  }
  g_string_append_len(edit->out, close, end - close);
}

char *px_edit_prefix(const PxEdit *edit) {
  const char *from = edit->token.ptr;
  while (from[-1] != '<' && from[-1] != '/')
    from--;
  return g_strndup(from, (gsize)(edit->token.ptr - from));
}

bool px_edit_is(const PxEdit *edit, const char *name) {
  return px_xml_is(&edit->token, name, strlen(name));
}

char *px_edit_attribute(const PxEdit *edit, const char *name) {
  const PxXmlAttribute *attribute = px_xml_attribute(&edit->xml, name);
  if (!attribute)
    return NULL;
  char *value = g_malloc(attribute->value_len + 1);
  const char *bad;
  size_t len = px_xml_decode(attribute->value, attribute->value_len, value, &bad);
  if (len == SIZE_MAX) /* compared with what it should be, it is not */
    len = 0;
  value[len] = '\0';
  return value;
}

uint32_t px_edit_number(const PxEdit *edit, const char *name) {
  const PxXmlAttribute *attribute = px_xml_attribute(&edit->xml, name);
  uint64_t number = 0;
  for (uint32_t i = 0; attribute && i < attribute->value_len; i++) {
    if (!g_ascii_isdigit(attribute->value[i]) || number > G_MAXINT32)
      return 0;
    number = number * 10 + (uint64_t)(attribute->value[i] - '0');
  }
  return number > G_MAXINT32 ? 0 : (uint32_t)number;
}

/* ---- text of an element */

void px_edit_start_text(PxEdit *edit) {
  g_string_truncate(edit->tag, 0);
  g_string_append_len(edit->tag, edit->raw, (gssize)edit->raw_len);
  g_string_truncate(edit->text, 0);
  edit->text_level = edit->level;
}

static bool add_text(PxEdit *edit, GError **error) {
  const PxXmlToken *token = &edit->token;
  gsize before = edit->text->len;
  const char *bad;
  g_string_set_size(edit->text, before + token->len);
  size_t len = px_xml_decode(token->ptr, token->len, edit->text->str + before, &bad);
  if (len == SIZE_MAX)
    return px_edit_refuse(error, "an entity that XML does not have");
  g_string_truncate(edit->text, before + len);
  return true;
}

bool px_edit_take_text(PxEdit *edit, PxXmlKind kind, bool *ret_whole, GError **error) {
  *ret_whole = false;
  switch (kind) {
  case PX_XML_TEXT:
    return add_text(edit, error);
  case PX_XML_CDATA:
    g_string_append_len(edit->text, edit->token.ptr, (gssize)edit->token.len);
    return true;
  case PX_XML_END:
    edit->text_level = 0;
    *ret_whole = true;
    return true;
  default:
    return px_edit_refuse(error, "an element where only text can be");
  }
}

void px_edit_put_text(PxEdit *edit, const char *text, size_t len) {
  g_string_append_len(edit->out, edit->tag->str, (gssize)edit->tag->len);
  px_edit_escape(edit->out, text, len);
  px_edit_keep(edit);
}
