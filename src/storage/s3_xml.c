/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3_xml_private.h"

#include <expat.h>
#include <string.h>

#define DEEPEST 8
#define LONGEST_TEXT 65536 /* of one element; a key has at most 1024 bytes, each as %XX */

/* Called at the end of each element, with its own text. parent: the name of the element around it, "" for none. */
typedef void (*OnElement)(const char *parent, const char *name, const char *text, void *data);

typedef struct {
  XML_Parser parser;
  OnElement on_element;
  void *data;
  GString *text;
  char *names[DEEPEST];
  unsigned depth;
} Reader;

static void stop(Reader *reader) {
  (void)XML_StopParser(reader->parser, XML_FALSE);
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes) {
  Reader *reader = data;
  const char *colon = strchr(name, ':');
  if (reader->depth == DEEPEST) {
    stop(reader);
    return;
  }
  reader->names[reader->depth++] = g_strdup(colon ? colon + 1 : name);
  g_string_truncate(reader->text, 0);
}

static void XMLCALL on_end(void *data, const XML_Char *name) {
  Reader *reader = data;
  reader->depth--;
  reader->on_element(reader->depth ? reader->names[reader->depth - 1] : "", reader->names[reader->depth], reader->text->str, reader->data);
  g_clear_pointer(&reader->names[reader->depth], g_free);
  g_string_truncate(reader->text, 0);
}

static void XMLCALL on_text(void *data, const XML_Char *text, int len) {
  Reader *reader = data;
  if (reader->text->len + (size_t)len > LONGEST_TEXT)
    stop(reader);
  else
    g_string_append_len(reader->text, text, len);
}

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_internal) {
  stop(data);
}

static bool read_elements(const char *text, size_t len, OnElement on_element, void *data) {
  Reader reader = {.parser = XML_ParserCreate(NULL), .on_element = on_element, .data = data, .text = g_string_new(NULL)};
  XML_SetUserData(reader.parser, &reader);
  XML_SetElementHandler(reader.parser, on_start, on_end);
  XML_SetCharacterDataHandler(reader.parser, on_text);
  XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
  bool ok = len <= INT_MAX && XML_Parse(reader.parser, text, (int)len, XML_TRUE) == XML_STATUS_OK;
  while (reader.depth > 0)
    g_free(reader.names[--reader.depth]);
  XML_ParserFree(reader.parser);
  g_string_free(reader.text, TRUE);
  return ok;
}

/* ---- a page of a listing */

typedef struct {
  PxS3Page page;
  PxS3Entry entry; /* that is being read */
  bool is_encoded; /* keys have %XX */
  bool is_truncated, is_list, is_bad;
} Listing;

static void entry_clear(void *data) {
  PxS3Entry *entry = data;
  g_free(entry->key);
  g_free(entry->etag);
}

void px_s3_page_clear(PxS3Page *page) {
  g_clear_pointer(&page->entries, g_array_unref);
  g_clear_pointer(&page->folders, g_ptr_array_unref);
  g_clear_pointer(&page->next, g_free);
}

char *px_s3_unquote(const char *text) {
  size_t len = strlen(text);
  return len >= 2 && text[0] == '"' && text[len - 1] == '"' ? g_strndup(text + 1, len - 2) : g_strdup(text);
}

static void set_text(char **text, char *value) {
  g_free(*text);
  *text = value;
}

static void on_contents(Listing *listing, const char *name, const char *text) {
  if (strcmp(name, "Key") == 0)
    set_text(&listing->entry.key, g_strdup(text));
  else if (strcmp(name, "ETag") == 0)
    set_text(&listing->entry.etag, px_s3_unquote(text));
  else if (strcmp(name, "Size") == 0)
    listing->is_bad |= !g_ascii_string_to_unsigned(text, 10, 0, INT64_MAX, &listing->entry.size, NULL);
  else if (strcmp(name, "LastModified") == 0) {
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(text, NULL);
    listing->entry.mtime_s = when ? g_date_time_to_unix(when) : 0;
  }
}

static void on_list_element(const char *parent, const char *name, const char *text, void *data) {
  Listing *listing = data;
  if (strcmp(parent, "Contents") == 0)
    on_contents(listing, name, text);
  else if (strcmp(name, "Contents") == 0) {
    listing->is_bad |= !listing->entry.key;
    g_array_append_val(listing->page.entries, listing->entry);
    listing->entry = (PxS3Entry){0};
  } else if (strcmp(parent, "CommonPrefixes") == 0 && strcmp(name, "Prefix") == 0)
    g_ptr_array_add(listing->page.folders, g_strdup(text));
  else if (strcmp(name, "EncodingType") == 0)
    listing->is_encoded = strcmp(text, "url") == 0;
  else if (strcmp(name, "IsTruncated") == 0)
    listing->is_truncated = strcmp(text, "true") == 0;
  else if (strcmp(name, "NextContinuationToken") == 0)
    set_text(&listing->page.next, g_strdup(text));
  else if (strcmp(name, "ListBucketResult") == 0)
    listing->is_list = true;
}

/* %XX and, as AWS has it, + for a blank. */
static bool decode(char **text) {
  for (char *p = *text; p && *p; p++) {
    if (*p == '+')
      *p = ' ';
  }
  char *plain = *text ? g_uri_unescape_string(*text, NULL) : NULL;
  if (plain)
    set_text(text, plain);
  return plain != NULL;
}

/* Only after the whole answer it is known whether keys are encoded. */
static bool finish_entries(Listing *listing) {
  for (unsigned i = 0; i < listing->page.entries->len; i++) {
    PxS3Entry *entry = &g_array_index(listing->page.entries, PxS3Entry, i);
    if (listing->is_encoded && !decode(&entry->key))
      return false;
    if (!entry->etag)
      entry->etag = g_strdup("");
  }
  for (unsigned i = 0; listing->is_encoded && i < listing->page.folders->len; i++) {
    if (!decode((char **)&listing->page.folders->pdata[i]))
      return false;
  }
  return !listing->is_bad && listing->is_truncated == (listing->page.next != NULL);
}

bool px_s3_read_page(const char *text, size_t len, PxS3Page *ret, GError **error) {
  Listing listing = {.page = {.entries = g_array_new(FALSE, FALSE, sizeof(PxS3Entry)), .folders = g_ptr_array_new_with_free_func(g_free)}};
  g_array_set_clear_func(listing.page.entries, entry_clear);
  bool ok = read_elements(text, len, on_list_element, &listing) && listing.is_list;
  entry_clear(&listing.entry);
  if (ok && !listing.is_truncated)
    g_clear_pointer(&listing.page.next, g_free);
  if (ok && finish_entries(&listing)) {
    *ret = listing.page;
    return true;
  }
  px_s3_page_clear(&listing.page);
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the server's answer is no listing of S3, or not the whole of one; is \"endpoint\" right?");
  return false;
}

/* ---- single elements */

typedef struct {
  const char *name;
  char *found;
} Search;

static void on_searched(const char *parent, const char *name, const char *text, void *data) {
  Search *search = data;
  if (!search->found && strcmp(name, search->name) == 0)
    search->found = g_strdup(text);
}

char *px_s3_read_element(const char *text, size_t len, const char *name) {
  Search search = {.name = name};
  if (read_elements(text, len, on_searched, &search))
    return search.found;
  g_free(search.found);
  return NULL;
}

static void on_any(const char *parent, const char *name, const char *text, void *data) {
  char **root = data;
  if (!*parent) /* a name of nothing but a prefix is none either; the outermost ends last */
    set_text(root, g_strdup(name));
}

char *px_s3_read_root(const char *text, size_t len) {
  char *root = NULL;
  if (read_elements(text, len, on_any, &root))
    return root;
  g_free(root);
  return NULL;
}
