/* SPDX-License-Identifier: Apache-2.0 */
/* What is where. With facts (MLSD, MLST) the server tells all at once; without, SIZE, MDTM and LIST each tell a part. STAT of a name would tell what
 * LIST does without a transfer, but vsftpd answers it wrongly for links where the name is in the current directory. */
#include "storage/ftp_private.h"
#include "storage/name_private.h"

#include <string.h>
#include <sys/stat.h>

#define KNOWN_LASTS (30 * G_USEC_PER_SEC)
#define MOST_KNOWN 16u /* directories */
#define TIMES_AT_ONCE 200u
#define LONGEST_LINE 65536

struct PxFtpTree {
  PxFtp *ftp;
  GHashTable *ways;  /* paths that were walked a moment ago */
  GHashTable *kinds; /* path -> (name -> kind), as LIST told a moment ago and we changed it since */
  int64_t since;
  enum { ALL_UNKNOWN, ALL_YES, ALL_NO } lists_all; /* whether it understands LIST -a */
  bool has_no_times;                               /* it does not know MDTM */
};

PxFtpTree *px_ftp_tree_new(PxFtp *ftp) {
  PxFtpTree *tree = g_new0(PxFtpTree, 1);
  tree->ftp = ftp;
  tree->ways = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  tree->kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
  return tree;
}

void px_ftp_tree_free(PxFtpTree *tree) {
  g_hash_table_unref(tree->ways);
  g_hash_table_unref(tree->kinds);
  g_free(tree);
}

void px_ftp_tree_forget(PxFtpTree *tree) {
  g_hash_table_remove_all(tree->ways);
  g_hash_table_remove_all(tree->kinds);
}

static void forget_old(PxFtpTree *tree) {
  int64_t now = g_get_monotonic_time();
  if (now - tree->since > KNOWN_LASTS || g_hash_table_size(tree->ways) > MOST_KNOWN || g_hash_table_size(tree->kinds) > MOST_KNOWN)
    px_ftp_tree_forget(tree);
  if (g_hash_table_size(tree->ways) + g_hash_table_size(tree->kinds) == 0)
    tree->since = now;
}

/* ---- places */

char *px_ftp_tree_remote(const PxFtpTree *tree, const char *path, const char *name) {
  const char *root = px_ftp_root(tree->ftp);
  if (!name && !*path)
    return g_strdup(*root ? root : "/");
  return g_strconcat(root, *path ? "/" : "", path, name ? "/" : "", name ? name : "", NULL);
}

bool px_ftp_denied(const PxFtp *ftp, const char *place, const char *doing, GError **error) {
  g_autofree char *said = px_ftp_said(ftp);
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s: cannot %s: the server says: %s; give pattimpex the right to it", place, doing, said);
  return false;
}

static bool refuse(GError **error, const char *place, const char *why) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: %s", place, why);
  return false;
}

/* ---- listing */

typedef bool (*Visit)(PxFtpEntry *entry, void *data);

typedef struct {
  PxFtpTree *tree;
  Visit visit;
  void *data;
  bool by_facts;
  int64_t now;
  uint64_t lines, entries, places;
} Lines;

static void take_line(Lines *lines, char *line) {
  PxFtpEntry entry;
  size_t len = strlen(line);
  if (len > 0 && line[len - 1] == '\r')
    line[--len] = 0;
  if (len == 0 || g_str_has_prefix(line, "total "))
    return;
  lines->lines++;
  if (!(lines->by_facts ? px_ftp_parse_facts(line, &entry) : px_ftp_parse_list(line, lines->now, &entry)))
    return;
  lines->entries++;
  lines->places += entry.is_place;
  if (!entry.is_place && !strchr(entry.name, '/'))
    (void)lines->visit(&entry, lines->data);
}

/* What came so far, up to its last line end. */
static void take_lines(Lines *lines, GString *text) {
  char *at = text->str;
  for (char *end; (end = memchr(at, '\n', text->len - (size_t)(at - text->str))); at = end + 1) {
    *end = 0;
    take_line(lines, at);
  }
  g_string_erase(text, 0, at - text->str);
}

static bool read_lines(Lines *lines, GError **error) {
  PxExchange *exchange = px_ftp_exchange(lines->tree->ftp);
  g_autofree char *piece = g_malloc(LONGEST_LINE);
  g_autoptr(GString) text = g_string_new(NULL);
  bool ok = px_exchange_start(exchange, error);
  ssize_t got = 0;
  while (ok && (got = px_exchange_read(exchange, piece, LONGEST_LINE, error)) > 0) {
    g_string_append_len(text, piece, got);
    take_lines(lines, text);
    ok = text->len <= LONGEST_LINE;
    if (!ok)
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the server sends a listing without line ends");
  }
  px_exchange_end(exchange);
  if (ok && got == 0 && text->len > 0)
    take_line(lines, text->str);
  return ok && got == 0;
}

/* *ret_lines: what came; false: an error. A server that says there is nothing there (RFC 959 does not know how to) has an empty directory. */
static bool list_by(PxFtpTree *tree, const char *command, const char *path, Lines *ret_lines, GError **error) {
  g_autoptr(GError) problem = NULL;
  g_autofree char *place = px_name_place(path, NULL);
  g_autofree char *remote = px_ftp_tree_remote(tree, path, NULL);
  px_ftp_begin(tree->ftp);
  px_ftp_add_needed(tree->ftp, "CWD", remote);
  CURL *curl = px_ftp_request(tree->ftp, NULL);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, command);
  ret_lines->by_facts = strcmp(command, "MLSD") == 0;
  ret_lines->now = g_get_real_time();
  if (read_lines(ret_lines, &problem))
    return true;
  CURLcode result = px_exchange_result(px_ftp_exchange(tree->ftp));
  g_autofree char *said = px_ftp_said(tree->ftp);
  g_autofree char *words = g_ascii_strdown(said, -1);
  if (result == CURLE_QUOTE_ERROR || result == CURLE_FTP_COULDNT_RETR_FILE || result == CURLE_REMOTE_ACCESS_DENIED)
    return strstr(words, "no files") != NULL || px_ftp_denied(tree->ftp, place, "list", error);
  g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", place);
  return false;
}

typedef struct {
  char *name;
  PxFtpEntry entry;
} Kept;

static void clear_kept(void *data) {
  g_free(((Kept *)data)->name);
}

static bool keep(PxFtpEntry *entry, void *data) {
  Kept kept = {g_strdup(entry->name), *entry};
  kept.entry.name = kept.name;
  g_array_append_val((GArray *)data, kept);
  return true;
}

static bool list_entries(PxFtpTree *tree, const char *path, GArray *all, GError **error) {
  Lines lines = {.tree = tree, .visit = keep, .data = all};
  if (px_ftp_has_facts(tree->ftp))
    return list_by(tree, "MLSD", path, &lines, error);
  if (tree->lists_all != ALL_NO) {
    /* "." and ".." are only there where -a is understood, and is no name of a file */
    bool ok = list_by(tree, "LIST -a", path, &lines, tree->lists_all == ALL_YES ? error : NULL);
    if (ok && lines.places > 0)
      tree->lists_all = ALL_YES;
    if ((ok && lines.places > 0) || tree->lists_all == ALL_YES)
      return ok;
    tree->lists_all = ALL_NO;
    g_array_set_size(all, 0);
    lines = (Lines){.tree = tree, .visit = keep, .data = all};
  }
  if (!list_by(tree, "LIST", path, &lines, error))
    return false;
  if (lines.lines == 0 || lines.entries > 0)
    return true;
  g_autofree char *place = px_name_place(path, NULL);
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s: cannot list: the server knows no MLSD, and its LIST is not understood", place);
  return false;
}

/* LIST has no year or no clock, in the time of some place; MDTM has all, but is asked for each file. */
static bool ask_times(PxFtpTree *tree, const char *path, GArray *all, GError **error) {
  g_autofree PxFtpEntry **asked = g_new0(PxFtpEntry *, TIMES_AT_ONCE);
  for (guint next = 0; next < all->len && !tree->has_no_times;) {
    guint n = 0;
    px_ftp_begin(tree->ftp);
    for (; next < all->len && n < TIMES_AT_ONCE; next++) {
      PxFtpEntry *entry = &g_array_index(all, Kept, next).entry;
      if (!S_ISREG(entry->mode))
        continue;
      g_autofree char *remote = px_ftp_tree_remote(tree, path, entry->name);
      px_ftp_add(tree->ftp, "MDTM", remote);
      asked[n++] = entry;
    }
    if (n > 0 && !px_ftp_send(tree->ftp, error))
      return false;
    for (guint i = 0; i < n; i++) {
      PxFtpReply reply = px_ftp_reply(tree->ftp, i);
      (void)px_ftp_read_time(&reply, asked[i]);
      tree->has_no_times |= reply.code >= 500 && reply.code < 505;
    }
  }
  return true;
}

/* What a listing says of kinds, kept for the looks at its files that follow. */
static GHashTable *keep_kinds(PxFtpTree *tree, const char *path, const GArray *all) {
  GHashTable *kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < all->len; i++) {
    const PxFtpEntry *entry = &g_array_index(all, Kept, i).entry;
    g_hash_table_insert(kinds, g_strdup(entry->name), GUINT_TO_POINTER(entry->mode));
  }
  g_hash_table_replace(tree->kinds, g_strdup(path), kinds);
  return kinds;
}

static GArray *list_all(PxFtpTree *tree, const char *path, GError **error) {
  g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Kept));
  g_array_set_clear_func(all, clear_kept);
  if (!list_entries(tree, path, all, error) || (!px_ftp_has_facts(tree->ftp) && !ask_times(tree, path, all, error)))
    return NULL;
  if (!px_ftp_has_facts(tree->ftp))
    (void)keep_kinds(tree, path, all);
  return g_steal_pointer(&all);
}

bool px_ftp_tree_list(PxFtpTree *tree, const char *path, PxFileVisit visit, void *data, GError **error) {
  g_autoptr(GArray) all = list_all(tree, path, error);
  bool more = true;
  for (guint i = 0; all && more && i < all->len; i++) {
    const PxFtpEntry *entry = &g_array_index(all, Kept, i).entry;
    PxFileInfo info = {.is_directory = S_ISDIR(entry->mode),
                       .name = entry->name,
                       .size = entry->size,
                       .mtime_ns = entry->mtime_ns,
                       .mtime_precision_ns = entry->mtime_precision_ns,
                       .identity = "",
                       .refused = S_ISDIR(entry->mode) ? NULL : px_storage_why_no_file(entry->mode)};
    more = visit(&info, data);
  }
  return all != NULL;
}

/* ---- one name */

static bool look_in_list(PxFtpTree *tree, const char *path, const char *name, PxFtpEntry *ret, GError **error) {
  g_autoptr(GArray) all = list_all(tree, path, error);
  *ret = (PxFtpEntry){0};
  for (guint i = 0; all && i < all->len; i++) {
    const PxFtpEntry *entry = &g_array_index(all, Kept, i).entry;
    if (strcmp(entry->name, name) == 0)
      *ret = *entry;
  }
  ret->name = NULL;
  return all != NULL;
}

static bool look_by_facts(PxFtpTree *tree, const char *remote, PxFtpEntry *ret, GError **error) {
  px_ftp_begin(tree->ftp);
  px_ftp_add(tree->ftp, "MLST", remote);
  if (!px_ftp_send(tree->ftp, error))
    return false;
  PxFtpReply reply = px_ftp_reply(tree->ftp, 0);
  (void)px_ftp_read_facts(&reply, ret);
  return true;
}

/* The kind of a name, 0: not told. A directory that cannot be listed tells nothing; files can be put there all the same. */
static mode_t kind_of(PxFtpTree *tree, const char *path, const char *name, bool is_there) {
  gpointer kind = NULL;
  forget_old(tree);
  GHashTable *kinds = g_hash_table_lookup(tree->kinds, path);
  if (kinds && (g_hash_table_lookup_extended(kinds, name, NULL, &kind) || !is_there))
    return GPOINTER_TO_UINT(kind);
  g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Kept)); /* one that is there, but was not in the list that is kept, is new */
  g_array_set_clear_func(all, clear_kept);
  if (!list_entries(tree, path, all, NULL))
    g_array_set_size(all, 0);
  kinds = keep_kinds(tree, path, all);
  return GPOINTER_TO_UINT(g_hash_table_lookup(kinds, name));
}

bool px_ftp_tree_is_file(PxFtpTree *tree, const char *path, const char *name) {
  return px_ftp_has_facts(tree->ftp) || (!tree->has_no_times && S_ISREG(kind_of(tree, path, name, false)));
}

bool px_ftp_tree_may_put(PxFtpTree *tree, const char *path, const char *name, bool replace) {
  mode_t kind = px_ftp_has_facts(tree->ftp) ? 0 : kind_of(tree, path, name, false);
  return kind == 0 || (S_ISREG(kind) && replace);
}

void px_ftp_tree_note(PxFtpTree *tree, const char *path, const char *name, bool is_there) {
  GHashTable *kinds = g_hash_table_lookup(tree->kinds, path);
  if (kinds && is_there)
    g_hash_table_replace(kinds, g_strdup(name), GUINT_TO_POINTER(S_IFREG));
  else if (kinds)
    g_hash_table_remove(kinds, name);
}

static bool is_entered(PxFtpTree *tree, const char *remote, bool *ret_entered, GError **error) {
  px_ftp_begin(tree->ftp);
  px_ftp_add(tree->ftp, "CWD", remote);
  if (!px_ftp_send(tree->ftp, error))
    return false;
  PxFtpReply reply = px_ftp_reply(tree->ftp, 0);
  *ret_entered = px_ftp_is_yes(&reply);
  return true;
}

/* SIZE and MDTM follow links, and are refused for what is no file. */
static bool look_by_parts(PxFtpTree *tree, const char *path, const char *name, PxFtpEntry *ret, GError **error) {
  g_autofree char *remote = px_ftp_tree_remote(tree, path, name);
  *ret = (PxFtpEntry){0};
  px_ftp_begin(tree->ftp);
  px_ftp_add(tree->ftp, "TYPE", "I");
  px_ftp_add(tree->ftp, "SIZE", remote);
  px_ftp_add(tree->ftp, "MDTM", remote);
  if (!px_ftp_send(tree->ftp, error))
    return false;
  PxFtpReply size = px_ftp_reply(tree->ftp, 1);
  PxFtpReply time = px_ftp_reply(tree->ftp, 2);
  bool has_time = px_ftp_read_time(&time, ret);
  bool knows_size = size.code < 500 || size.code > 504;
  ret->has_size = px_ftp_read_size(&size, &ret->size);
  ret->mode = kind_of(tree, path, name, ret->has_size);
  if (ret->has_size && ret->mode == 0)
    ret->mode = S_IFREG;
  if (S_ISREG(ret->mode) && (!knows_size || (ret->has_size && !has_time)))
    return look_in_list(tree, path, name, ret, error);
  if (ret->mode && (!S_ISREG(ret->mode) || ret->has_size))
    return true;
  bool entered = false;
  if (!is_entered(tree, remote, &entered, error))
    return false;
  ret->mode = entered ? S_IFDIR : 0;
  return true;
}

bool px_ftp_tree_look(PxFtpTree *tree, const char *path, const char *name, PxFtpEntry *ret, GError **error) {
  g_autofree char *remote = px_ftp_tree_remote(tree, path, name);
  return px_ftp_has_facts(tree->ftp) ? look_by_facts(tree, remote, ret, error) : look_by_parts(tree, path, name, ret, error);
}

/* ---- ways */

/* A path that cannot be entered: which part of it is the reason? */
static bool tell_way(PxFtpTree *tree, const char *path, const char *doing, GError **error) {
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  g_autoptr(GString) way = g_string_new(NULL);
  for (char **part = parts; *part; part++) {
    PxFtpEntry entry;
    g_autofree char *place = px_name_place(way->str, *part);
    if (!px_ftp_tree_look(tree, way->str, *part, &entry, error))
      return false;
    if (entry.mode == 0)
      return px_storage_not_found(error, place, doing);
    if (S_ISLNK(entry.mode))
      return refuse(error, place, "it is a symbolic link; symbolic links are not followed");
    if (!S_ISDIR(entry.mode))
      return refuse(error, place, "it is no directory");
    g_string_assign(way, place);
  }
  bool entered;
  g_autofree char *remote = px_ftp_tree_remote(tree, path, NULL);
  return is_entered(tree, remote, &entered, error) && px_ftp_denied(tree->ftp, way->str, doing, error);
}

/* The server calls it otherwise than we do: because a link is in it? */
static bool find_link(PxFtpTree *tree, const char *path, GError **error) {
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  g_autoptr(GString) way = g_string_new(NULL);
  for (char **part = parts; *part; part++) {
    PxFtpEntry entry;
    g_autofree char *place = px_name_place(way->str, *part);
    if (!look_in_list(tree, way->str, *part, &entry, error))
      return false;
    if (S_ISLNK(entry.mode))
      return refuse(error, place, "it is a symbolic link; symbolic links are not followed");
    g_string_assign(way, place);
  }
  return true;
}

static bool is_called(const PxFtpReply *place, const char *remote) {
  const char *line = place->n ? place->lines[place->n - 1] : "";
  g_autofree char *found = px_ftp_quoted(line);
  g_autofree char *folded_found = g_utf8_casefold(found ? found : remote, -1);
  g_autofree char *folded = g_utf8_casefold(remote, -1);
  return strcmp(folded_found, folded) == 0;
}

bool px_ftp_tree_walk(PxFtpTree *tree, const char *path, const char *doing, GError **error) {
  forget_old(tree);
  if (!*path || g_hash_table_contains(tree->ways, path))
    return true;
  g_autofree char *remote = px_ftp_tree_remote(tree, path, NULL);
  px_ftp_begin(tree->ftp);
  px_ftp_add(tree->ftp, "CWD", remote);
  px_ftp_add(tree->ftp, "PWD", NULL);
  if (!px_ftp_send(tree->ftp, error))
    return false;
  PxFtpReply entered = px_ftp_reply(tree->ftp, 0);
  PxFtpReply place = px_ftp_reply(tree->ftp, 1);
  if (!px_ftp_is_yes(&entered))
    return tell_way(tree, path, doing, error);
  if (!is_called(&place, remote) && !find_link(tree, path, error))
    return false;
  g_hash_table_add(tree->ways, g_strdup(path));
  return true;
}

bool px_ftp_tree_walk_to(PxFtpTree *tree, const char *path, const char *place, const char *doing, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (px_ftp_tree_walk(tree, path, doing, &problem))
    return true;
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND))
    return px_storage_not_found(error, place, doing);
  g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", place);
  return false;
}

bool px_ftp_tree_make_way(PxFtpTree *tree, const char *path, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (px_ftp_tree_walk(tree, path, "open or make this directory", &problem))
    return true;
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  g_autoptr(GString) way = g_string_new(NULL);
  for (char **part = parts; *part; part++) {
    PxFtpEntry entry;
    g_string_append_printf(way, "%s%s", way->len ? "/" : "", *part);
    g_autofree char *remote = px_ftp_tree_remote(tree, way->str, NULL);
    px_ftp_begin(tree->ftp);
    px_ftp_add(tree->ftp, "MKD", remote); /* refused where it is there */
    if (!px_ftp_send(tree->ftp, error))
      return false;
    g_autofree char *said = px_ftp_said(tree->ftp);
    g_autofree char *above = g_path_get_dirname(way->str);
    if (!px_ftp_tree_look(tree, strcmp(above, ".") == 0 ? "" : above, *part, &entry, error))
      return false;
    if (entry.mode != 0)
      continue;
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s: cannot make this directory: the server says: %s; give pattimpex the right to it",
                way->str, said);
    return false;
  }
  return px_ftp_tree_walk(tree, path, "open or make this directory", error);
}
