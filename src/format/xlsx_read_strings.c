/* SPDX-License-Identifier: Apache-2.0 */
/* Shared strings: pages of 64 KiB, the first of which stay in memory while the others go to a file without a name. A page is its offsets
 * (one more than it has strings) and the bytes. */
#include "base/file.h"
#include "format/xlsx_read_fast.h"
#include "format/xlsx_read_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE ((size_t)64 * 1024)
#define SLOTS 64 /* pages of the file that are in memory too */
#define STRIDE 256

typedef struct {
  uint64_t first; /* string */
  char *bytes;    /* NULL: it is in the file */
  uint64_t place; /* there */
  uint32_t n;     /* strings */
  uint32_t size;
} Page;

typedef struct {
  size_t page; /* SIZE_MAX: none */
  char *bytes;
} Slot;

struct PxXlsxStrings {
  size_t memory; /* left */
  int fd;        /* -1: not open */
  bool own_fd;
  GArray *pages;     /* Page */
  GArray *strides;   /* uint32_t: the page of every STRIDEth string */
  GByteArray *bytes; /* of the page that is being filled */
  GArray *offsets;   /* uint32_t */
  uint64_t count;
  uint64_t spilled; /* bytes in the file */
  Slot slots[SLOTS];
  size_t missed; /* the page that was last wanted and not in a slot */
};

PxXlsxStrings *px_xlsx_strings_new(size_t memory, int spill_fd) {
  PxXlsxStrings *strings = g_new0(PxXlsxStrings, 1);
  strings->memory = memory;
  strings->fd = spill_fd;
  strings->pages = g_array_new(FALSE, FALSE, sizeof(Page));
  strings->strides = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  strings->bytes = g_byte_array_sized_new(PAGE);
  strings->offsets = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  strings->missed = SIZE_MAX;
  for (size_t i = 0; i < SLOTS; i++)
    strings->slots[i].page = SIZE_MAX;
  return strings;
}

void px_xlsx_strings_free(PxXlsxStrings *strings) {
  if (!strings)
    return;
  for (guint i = 0; i < strings->pages->len; i++)
    g_free(g_array_index(strings->pages, Page, i).bytes);
  for (size_t i = 0; i < SLOTS; i++)
    g_free(strings->slots[i].bytes);
  if (strings->own_fd)
    close(strings->fd);
  g_array_unref(strings->pages);
  g_array_unref(strings->strides);
  g_byte_array_unref(strings->bytes);
  g_array_unref(strings->offsets);
  g_free(strings);
}

/* ---- writing */

static bool fail_spill(const char *what, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot %s the temporary file for shared strings in %s: %s", what, g_get_tmp_dir(),
              g_strerror(errno));
  return false;
}

static bool open_spill(PxXlsxStrings *strings, GError **error) {
  if (strings->fd >= 0)
    return true;
  if (strings->fd == PX_SPILL_NONE) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT,
                "no temporary file could be made for shared strings: set TMPDIR to a directory that can be written");
    return false;
  }
  strings->fd = px_temporary_file(error);
  strings->own_fd = strings->fd >= 0;
  return strings->own_fd;
}

static bool spill(PxXlsxStrings *strings, const void *bytes, size_t size, GError **error) {
  for (size_t done = 0; done < size;) {
    ssize_t n = pwrite(strings->fd, (const char *)bytes + done, size - done, (off_t)strings->spilled);
    if (n < 0 && errno != EINTR)
      return fail_spill("write", error);
    done += n > 0 ? (size_t)n : 0;
    strings->spilled += n > 0 ? (uint64_t)n : 0;
  }
  return true;
}

static bool end_page(PxXlsxStrings *strings, GError **error) {
  guint n = strings->offsets->len;
  if (n == 0)
    return true;
  uint32_t end = strings->bytes->len;
  g_array_append_val(strings->offsets, end);
  size_t head = ((size_t)n + 1) * sizeof(uint32_t);
  Page page = {.first = strings->count - n, .n = n, .size = (uint32_t)(head + end)};
  if (page.size <= strings->memory) {
    strings->memory -= page.size;
    page.bytes = g_malloc(page.size);
    memcpy(page.bytes, strings->offsets->data, head);
    memcpy(page.bytes + head, strings->bytes->data, end);
  } else {
    strings->memory = 0; /* what comes later is in the file, so that pages of it follow one another */
    page.place = strings->spilled;
    if (!open_spill(strings, error))
      return false;
    page.place = strings->spilled;
    if (!spill(strings, strings->offsets->data, head, error) || !spill(strings, strings->bytes->data, end, error))
      return false;
  }
  g_array_append_val(strings->pages, page);
  g_byte_array_set_size(strings->bytes, 0);
  g_array_set_size(strings->offsets, 0);
  return true;
}

bool px_xlsx_strings_add(PxXlsxStrings *strings, const char *text, size_t len, GError **error) {
  uint32_t offset = strings->bytes->len;
  uint32_t page = strings->pages->len;
  if (strings->count % STRIDE == 0)
    g_array_append_val(strings->strides, page);
  g_array_append_val(strings->offsets, offset);
  g_byte_array_set_size(strings->bytes, offset + (guint)len);
  memcpy(strings->bytes->data + offset, text, len);
  strings->count++;
  return strings->bytes->len + strings->offsets->len * sizeof(uint32_t) < PAGE || end_page(strings, error);
}

bool px_xlsx_strings_seal(PxXlsxStrings *strings, GError **error) {
  return end_page(strings, error);
}

uint64_t px_xlsx_strings_count(const PxXlsxStrings *strings) {
  return strings->count;
}

/* ---- reading */

static const char *string_of(const char *bytes, const Page *page, uint32_t i, uint32_t *ret_len) {
  uint32_t offsets[2];
  memcpy(offsets, bytes + i * sizeof(uint32_t), sizeof offsets);
  *ret_len = offsets[1] - offsets[0];
  return bytes + (page->n + 1) * sizeof(uint32_t) + offsets[0];
}

static bool read_spill(const PxXlsxStrings *strings, uint64_t place, void *to, size_t size, GError **error) {
  for (size_t done = 0; done < size;) {
    ssize_t n = pread(strings->fd, (char *)to + done, size - done, (off_t)(place + done));
    if (n == 0 || (n < 0 && errno != EINTR))
      return fail_spill("read", error);
    done += n > 0 ? (size_t)n : 0;
  }
  return true;
}

/* One string alone: cheaper than its page where strings are wanted in no order. */
static bool read_one(PxXlsxStrings *strings, const Page *page, uint32_t i, PxArena *arena, const char **ret_text, uint32_t *ret_len, GError **error) {
  uint32_t offsets[2];
  if (!read_spill(strings, page->place + i * sizeof(uint32_t), offsets, sizeof offsets, error))
    return false;
  *ret_len = offsets[1] - offsets[0];
  char *text = px_arena_alloc(arena, *ret_len + 1);
  *ret_text = text;
  return read_spill(strings, page->place + (page->n + 1) * sizeof(uint32_t) + offsets[0], text, *ret_len, error);
}

static bool read_spilled(PxXlsxStrings *strings, size_t at, uint32_t i, PxArena *arena, const char **ret_text, uint32_t *ret_len, GError **error) {
  const Page *page = &g_array_index(strings->pages, Page, at);
  Slot *slot = &strings->slots[at % SLOTS];
  if (slot->page != at) {
    if (strings->missed != at) {
      strings->missed = at;
      return read_one(strings, page, i, arena, ret_text, ret_len, error);
    }
    slot->page = SIZE_MAX;
    slot->bytes = g_realloc(slot->bytes, page->size);
    if (!read_spill(strings, page->place, slot->bytes, page->size, error))
      return false;
    slot->page = at;
  }
  const char *text = string_of(slot->bytes, page, i, ret_len);
  *ret_text = px_arena_strndup(arena, text, *ret_len); /* the slot may be another page's before the row ends */
  return true;
}

bool px_xlsx_strings_get(PxXlsxStrings *strings, uint64_t i, PxArena *arena, const char **ret_text, uint32_t *ret_len, GError **error) {
  const Page *pages = (const Page *)(const void *)strings->pages->data;
  size_t at = g_array_index(strings->strides, uint32_t, i / STRIDE);
  while (i - pages[at].first >= pages[at].n)
    at++;
  uint32_t in_page = (uint32_t)(i - pages[at].first);
  if (G_UNLIKELY(!pages[at].bytes))
    return read_spilled(strings, at, in_page, arena, ret_text, ret_len, error);
  *ret_text = string_of(pages[at].bytes, &pages[at], in_page, ret_len);
  return true;
}

/* ---- the part */

static bool refuse_part(const char *part, const PxXlsxStrings *strings, GError **error) {
  g_prefix_error(error, "%s, shared string %" PRIu64 ": ", part, strings->count);
  return false;
}

/* Up to the start of the root's first child; PX_XML_END: it has none. */
static PxXmlKind enter_root(PxXml *xml, GError **error) {
  PxXmlToken token;
  PxXmlKind kind;
  do
    kind = px_xml_next_filled(xml, &token, error);
  while (kind == PX_XML_TEXT || kind == PX_XML_CDATA);
  if (kind != PX_XML_START)
    return kind;
  if (px_xml_is(&token, "sst", 3))
    return token.empty ? PX_XML_END : PX_XML_START;
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "these are no shared strings");
  return PX_XML_BAD;
}

static bool add_text(PxXlsxStrings *strings, PxXlsxText *text, size_t max_text, GError **error) {
  px_xlsx_text_unescape(text);
  if (text->len <= max_text)
    return px_xlsx_strings_add(strings, text->ptr, text->len, error);
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
              "a text of %zu bytes, at most %zu are allowed: raise text_bytes of the pattern's limits when it is meant so", text->len, max_text);
  return false;
}

/* An si, behind whose start the reader is, or another child of the root. */
static PxXmlKind read_item(PxXml *xml, PxXlsxStrings *strings, const PxXmlToken *token, PxXlsxText *text, size_t max_text, GError **error) {
  bool is_string = px_xml_is(token, "si", 2);
  PxXmlKind kind = PX_XML_END;
  px_xlsx_text_clear(text);
  if (!token->empty)
    kind = is_string ? px_xlsx_rich_text(xml, text, error) : px_xlsx_skip(xml, error);
  return kind == PX_XML_END && is_string && !add_text(strings, text, max_text, error) ? PX_XML_BAD : kind;
}

/* Strings of the usual forms, up to the first other one. */
static bool read_fast(PxXml *xml, PxXlsxStrings *strings, PxXlsxText *text, size_t max_text, GError **error) {
  PxXmlToken token;
  for (const char *next = px_xlsx_fast_string(xml->at, &token); next; next = px_xlsx_fast_string(xml->at, &token)) {
    px_xlsx_text_clear(text);
    if (!px_xlsx_text_add(text, &token, PX_XML_TEXT, error) || !add_text(strings, text, max_text, error))
      return false;
    xml->at = next;
  }
  return true;
}

static PxXmlKind read_items(PxXml *xml, PxXlsxStrings *strings, PxXlsxText *text, size_t max_text, bool general, GError **error) {
  size_t depth = xml->depth;
  for (;;) {
    PxXmlToken token;
    if (!general && !read_fast(xml, strings, text, max_text, error))
      return PX_XML_BAD;
    const char *start = xml->at;
    PxXmlKind kind = px_xml_next(xml, &token, error);
    if (kind == PX_XML_START)
      kind = read_item(xml, strings, &token, text, max_text, error);
    else if (kind == PX_XML_END || kind == PX_XML_EOF || kind == PX_XML_BAD)
      return kind;
    if (kind == PX_XML_BAD)
      return kind;
    if (kind == PX_XML_MORE) {
      xml->depth = depth;
      if (!px_xml_fill(xml, start, error))
        return PX_XML_BAD;
    }
  }
}

bool px_xlsx_strings_read(PxXlsxStrings *strings, const PxZip *zip, const char *part, const PxFormatOptions *options, const PxXlsxKnobs *knobs,
                          GError **error) {
  const PxZipMember *member = px_zip_find(zip, part);
  if (!member) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the workbook has no part %s, although it says so", part);
    return false;
  }
  PxXml *xml = g_new0(PxXml, 1);
  PxXlsxText text = {0};
  size_t max_text = (size_t)MIN(options->max_text_bytes, G_MAXINT32);
  PxXmlKind kind = PX_XML_BAD;
  if (px_xml_open_sized(xml, zip, member, knobs->window, (size_t)MIN(options->max_row_bytes, G_MAXINT32), options->max_depth, error))
    kind = enter_root(xml, error);
  if (kind == PX_XML_START)
    kind = read_items(xml, strings, &text, max_text, knobs->general, error);
  while (kind == PX_XML_END || kind == PX_XML_TEXT) { /* what stands behind the root, so that all of it has been checked */
    PxXmlToken token;
    kind = px_xml_next_filled(xml, &token, error);
  }
  if (text.copy)
    g_string_free(text.copy, TRUE);
  px_xml_close(xml);
  g_free(xml);
  if (kind == PX_XML_EOF)
    return px_xlsx_strings_seal(strings, error);
  return refuse_part(part, strings, error);
}
