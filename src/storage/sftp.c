/* SPDX-License-Identifier: Apache-2.0 */
/* The storage: paths that cannot leave its directory, put that is atomic, move that never replaces. */
#include "base/hook.h"
#include "storage/name_private.h"
#include "storage/sftp_private.h"

#include <string.h>
#include <sys/stat.h>

#define SECOND_NS INT64_C(1000000000)
#define PRECISION_NS (2 * SECOND_NS) /* the protocol has whole seconds; what is behind the server may have two (FAT) */
#define DAY_S (24 * 60 * 60)
#define LISTS_AT_ONCE 4u
#define KNOWN_FOR G_USEC_PER_SEC
#define SMALL_ROOM 65536 /* bytes: a disk with less is full */

typedef struct {
  const PxSftpSettings *settings;
  PxPace *pace;
  PxSftp *sftp; /* NULL: not connected */
  char *root;   /* the directory as the server calls it, without a "/" at its end ("" is the server's "/") */
  char *name;   /* of the file opened last */
  char *way;    /* a path that was found to be one, and when; NULL: none */
  int64_t way_seen;
  PxSftpEarly *early;
  PxSftpMore *more;
  GHashTable *swept; /* directories whose leftover temporary files are gone */
} Sftp;

/* ---- places */

/* As the server calls it. Caller frees. */
static char *remote_path(const Sftp *self, const char *path, const char *name) {
  if (!name && !*path)
    return g_strdup(*self->root ? self->root : "/");
  return g_strconcat(self->root, *path ? "/" : "", path, name ? "/" : "", name ? name : "", NULL);
}

static bool refuse(GError **error, const char *place, const char *why) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: %s", place, why);
  return false;
}

/* ---- single requests */

/* The status that answers id, in *ret_reply. */
static bool await_status(Sftp *self, uint32_t id, PxSftpReply *ret_reply, GError **error) {
  return px_sftp_await(self->sftp, id, ret_reply, error) && (ret_reply->type == PX_SFTP_STATUS || px_sftp_broken(self->sftp, error));
}

static bool done(Sftp *self, uint32_t id, const char *place, const char *doing, GError **error) {
  PxSftpReply reply;
  return await_status(self, id, &reply, error) && (reply.status == PX_SFTP_OK || px_sftp_fail(error, &reply, place, doing));
}

/* The attributes that answer id; the status in *ret_status where there are none. */
static bool await_attrs(Sftp *self, uint32_t id, PxSftpReply *ret_reply, PxSftpAttrs *ret, GError **error) {
  if (!px_sftp_await(self->sftp, id, ret_reply, error))
    return false;
  *ret = (PxSftpAttrs){0};
  if (ret_reply->type == PX_SFTP_STATUS)
    return ret_reply->status != PX_SFTP_OK || px_sftp_broken(self->sftp, error);
  return (ret_reply->type == PX_SFTP_ATTRS && px_sftp_take_attrs(ret_reply, ret)) || px_sftp_broken(self->sftp, error);
}

static bool lstat_file(Sftp *self, const char *remote, PxSftpReply *ret_reply, PxSftpAttrs *ret, GError **error) {
  return await_attrs(self, px_sftp_send_paths(self->sftp, PX_SFTP_LSTAT, remote, NULL), ret_reply, ret, error);
}

/* The handle that answers id; reply has the status where there is none. */
static bool await_handle(Sftp *self, uint32_t id, PxSftpReply *ret_reply, PxSftpHandle *ret, GError **error) {
  ret->len = 0;
  if (!px_sftp_await(self->sftp, id, ret_reply, error))
    return false;
  if (ret_reply->type == PX_SFTP_STATUS)
    return ret_reply->status != PX_SFTP_OK || px_sftp_broken(self->sftp, error);
  return (ret_reply->type == PX_SFTP_HANDLE && px_sftp_take_handle(ret_reply, ret)) || px_sftp_broken(self->sftp, error);
}

/* ---- connecting */

static void disconnect(Sftp *self) {
  px_sftp_early_give_up(self->early, false);
  px_sftp_close(self->sftp);
  self->sftp = NULL;
  g_clear_pointer(&self->root, g_free);
  g_clear_pointer(&self->way, g_free);
}

static void *sftp_open(const void *settings, PxPace *pace) {
  Sftp *self = g_new0(Sftp, 1);
  self->settings = settings;
  self->pace = pace;
  self->early = px_sftp_early_new();
  self->more = px_sftp_more_new(&self->settings->ssh, (unsigned)self->settings->connections - 1);
  self->swept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

static void sftp_close(void *data) {
  Sftp *self = data;
  disconnect(self);
  px_sftp_early_free(self->early);
  px_sftp_more_free(self->more);
  g_hash_table_unref(self->swept);
  g_free(self->name);
  g_free(self);
}

static bool directory_failed(const Sftp *self, const PxSftpReply *reply, GError **error) {
  g_autoptr(GError) problem = NULL;
  (void)px_sftp_fail(&problem, reply, *self->settings->directory ? self->settings->directory : "the directory of this user", "be used");
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "its directory %s; %s", problem->message,
              reply->status == PX_SFTP_NO_SUCH_FILE ? "make it, or correct the setting \"directory\""
                                                    : "correct the setting \"directory\" or the rights");
  return false;
}

static bool find_root(Sftp *self, GError **error) {
  PxSftpReply reply;
  PxSftpAttrs attrs;
  const unsigned char *name;
  size_t len;
  uint32_t n;
  const char *directory = *self->settings->directory ? self->settings->directory : ".";
  uint32_t stat_id = px_sftp_send_paths(self->sftp, PX_SFTP_STAT, directory, NULL);
  uint32_t path_id = px_sftp_send_paths(self->sftp, PX_SFTP_REALPATH, directory, NULL);
  if (!await_attrs(self, stat_id, &reply, &attrs, error))
    return false;
  if (reply.type == PX_SFTP_STATUS)
    return directory_failed(self, &reply, error);
  if ((attrs.mode & S_IFMT) && !S_ISDIR(attrs.mode)) {
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "its directory %s is no directory; correct the setting \"directory\"", directory);
    return false;
  }
  if (!px_sftp_await(self->sftp, path_id, &reply, error))
    return false;
  if (reply.type == PX_SFTP_STATUS)
    return directory_failed(self, &reply, error);
  if (reply.type != PX_SFTP_NAME || !px_sftp_take_u32(&reply, &n) || n == 0 || !px_sftp_take_bytes(&reply, &name, &len) || len == 0 ||
      memchr(name, 0, len))
    return px_sftp_broken(self->sftp, error);
  self->root = g_strndup((const char *)name, len);
  while (g_str_has_suffix(self->root, "/"))
    self->root[strlen(self->root) - 1] = 0;
  return true;
}

/* Connects, unless there is a connection that is of use. */
static bool connect_to(Sftp *self, GError **error) {
  if (self->sftp && px_sftp_is_of_use(self->sftp))
    return true;
  disconnect(self);
  self->sftp = px_sftp_open(&self->settings->ssh, error);
  if (self->sftp && find_root(self, error))
    return true;
  disconnect(self);
  return false;
}

/* ---- directories */

/* Whether a part of a path, up to part_end of path, is a directory that can be gone through; the answer is in reply and attrs. */
static bool is_way(const PxSftpReply *reply, const PxSftpAttrs *attrs, const char *place, const char *doing, GError **error) {
  if (reply->type == PX_SFTP_STATUS)
    return px_sftp_fail(error, reply, place, doing);
  if (S_ISLNK(attrs->mode))
    return refuse(error, place, "it is a symbolic link; symbolic links are not followed");
  return !(attrs->mode & S_IFMT) || S_ISDIR(attrs->mode) || refuse(error, place, "it is no directory");
}

/* Asks for every directory of path at once. The ids of the requests. */
static GArray *ask_way(Sftp *self, char **parts) {
  GArray *ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GString) place = g_string_new(NULL);
  for (char **part = parts; part && *part; part++) {
    g_string_append_printf(place, "%s%s", place->len ? "/" : "", *part);
    g_autofree char *remote = remote_path(self, place->str, NULL);
    uint32_t id = px_sftp_send_paths(self->sftp, PX_SFTP_LSTAT, remote, NULL);
    g_array_append_val(ids, id);
  }
  return ids;
}

static bool take_way(Sftp *self, char **parts, const GArray *ids, const char *doing, GError **error) {
  g_autoptr(GString) place = g_string_new(NULL);
  g_autoptr(GError) first = NULL;
  for (unsigned i = 0; i < ids->len; i++) {
    PxSftpReply reply;
    PxSftpAttrs attrs;
    g_string_append_printf(place, "%s%s", place->len ? "/" : "", parts[i]);
    if (!await_attrs(self, g_array_index(ids, uint32_t, i), &reply, &attrs, error))
      return false;
    if (!first)
      (void)is_way(&reply, &attrs, place->str, doing, &first);
  }
  if (!first)
    return true;
  g_propagate_error(error, g_steal_pointer(&first));
  return false;
}

/* PX_ERROR_NOT_FOUND: a directory of path is missing; PX_ERROR_REFUSED: a link is in it. */
static bool walk(Sftp *self, const char *path, const char *doing, GError **error) {
  g_auto(GStrv) parts = *path ? g_strsplit(path, "/", -1) : NULL;
  g_autoptr(GArray) ids = ask_way(self, parts);
  return take_way(self, parts, ids, doing, error);
}

static void note_way(Sftp *self, const char *path) {
  g_free(self->way);
  self->way = g_strdup(path);
  self->way_seen = g_get_monotonic_time();
}

/* Whether it has just been gone through: who puts a file has looked for it before. */
static bool is_known_way(const Sftp *self, const char *path) {
  return self->way && strcmp(self->way, path) == 0 && g_get_monotonic_time() - self->way_seen < KNOWN_FOR;
}

/* What the file is, and its way, asked at once: where the way is missing, so is the file. */
static bool look_for(Sftp *self, const char *path, const char *name, const char *place, const char *doing, PxSftpAttrs *ret_attrs, GError **error) {
  g_auto(GStrv) parts = *path ? g_strsplit(path, "/", -1) : NULL;
  g_autoptr(GArray) ids = ask_way(self, parts);
  g_autofree char *remote = remote_path(self, path, name);
  uint32_t id = px_sftp_send_paths(self->sftp, PX_SFTP_LSTAT, remote, NULL);
  g_autoptr(GError) problem = NULL;
  PxSftpReply reply;
  if (take_way(self, parts, ids, doing, &problem)) {
    note_way(self, path);
    return await_attrs(self, id, &reply, ret_attrs, error) && (reply.type == PX_SFTP_ATTRS || px_sftp_fail(error, &reply, place, doing));
  }
  px_sftp_forget(self->sftp, id);
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND))
    (void)px_storage_not_found(error, place, doing);
  else
    g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", place);
  return false;
}

/* Makes the directories of path that are missing. */
static bool make_way(Sftp *self, const char *path, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (walk(self, path, "open or make this directory", &problem))
    return true;
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  g_autoptr(GString) place = g_string_new(NULL);
  for (char **part = parts; *part; part++) {
    PxSftpReply reply;
    PxSftpAttrs attrs;
    g_string_append_printf(place, "%s%s", place->len ? "/" : "", *part);
    g_autofree char *remote = remote_path(self, place->str, NULL);
    if (!lstat_file(self, remote, &reply, &attrs, error))
      return false;
    if (reply.type == PX_SFTP_STATUS && reply.status == PX_SFTP_NO_SUCH_FILE) {
      PxSftpReply made;
      uint32_t id = px_sftp_begin(self->sftp, PX_SFTP_MKDIR);
      px_sftp_add_text(self->sftp, remote);
      px_sftp_add_u32(self->sftp, 0);
      px_sftp_send(self->sftp);
      if (!await_status(self, id, &made, error))
        return false;
      if (made.status == PX_SFTP_PERMISSION_DENIED)
        return px_sftp_fail(error, &made, place->str, "open or make this directory");
      if (!lstat_file(self, remote, &reply, &attrs, error)) /* somebody else may have made it */
        return false;
    }
    if (!is_way(&reply, &attrs, place->str, "open or make this directory", error))
      return false;
  }
  return true;
}

/* ---- listing */

static PxFileInfo info_of(const char *name, const PxSftpAttrs *attrs) {
  return (PxFileInfo){
    .name = name,
    .size = attrs->size,
    .mtime_ns = (int64_t)attrs->mtime * SECOND_NS,
    .mtime_precision_ns = PRECISION_NS,
    .identity = "",
    .refused = px_storage_why_no_file(attrs->mode),
  };
}

/* The entries of one answer. *ret_more false: the caller has seen enough. */
static bool visit_names(Sftp *self, PxSftpReply *reply, PxFileVisit visit, void *data, bool *ret_more, GError **error) {
  uint32_t n;
  if (reply->type != PX_SFTP_NAME || !px_sftp_take_u32(reply, &n))
    return px_sftp_broken(self->sftp, error);
  for (uint32_t i = 0; i < n; i++) {
    const unsigned char *name;
    const unsigned char *line; /* as ls -l has it: the kind, where the attributes tell none */
    size_t name_len;
    size_t line_len;
    PxSftpAttrs attrs;
    if (!px_sftp_take_bytes(reply, &name, &name_len) || !px_sftp_take_bytes(reply, &line, &line_len) || !px_sftp_take_attrs(reply, &attrs))
      return px_sftp_broken(self->sftp, error);
    bool is_directory = attrs.mode & S_IFMT ? S_ISDIR(attrs.mode) : line_len > 0 && line[0] == 'd';
    if (!*ret_more || memchr(name, 0, name_len))
      continue;
    g_autofree char *text = g_strndup((const char *)name, name_len);
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
      continue;
    PxFileInfo info = is_directory ? (PxFileInfo){.name = text, .identity = "", .is_directory = true} : info_of(text, &attrs);
    *ret_more = visit(&info, data);
  }
  return true;
}

/* Several requests are on their way at once: a server gives some hundred names an answer. */
static bool read_names(Sftp *self, const PxSftpHandle *handle, const char *place, PxFileVisit visit, void *data, GError **error) {
  g_autoptr(GQueue) ids = g_queue_new();
  bool more = true;
  bool ok = true;
  while (ok && more) {
    while (ids->length < LISTS_AT_ONCE)
      g_queue_push_tail(ids, GUINT_TO_POINTER(px_sftp_send_handle(self->sftp, PX_SFTP_READDIR, handle)));
    PxSftpReply reply;
    if (!px_sftp_await(self->sftp, GPOINTER_TO_UINT(g_queue_pop_head(ids)), &reply, error))
      return false;
    if (reply.type == PX_SFTP_STATUS) {
      ok = reply.status == PX_SFTP_EOF || px_sftp_fail(error, &reply, place, "list");
      break;
    }
    ok = visit_names(self, &reply, visit, data, &more, error);
  }
  while (ids->length > 0)
    px_sftp_forget(self->sftp, GPOINTER_TO_UINT(g_queue_pop_head(ids)));
  return ok;
}

static bool list_directory(Sftp *self, const char *path, PxFileVisit visit, void *data, GError **error) {
  g_autofree char *place = px_name_place(path, NULL);
  g_autofree char *remote = remote_path(self, path, NULL);
  PxSftpReply reply;
  PxSftpHandle handle = {.len = 0};
  if (!await_handle(self, px_sftp_send_paths(self->sftp, PX_SFTP_OPENDIR, remote, NULL), &reply, &handle, error))
    return false;
  if (reply.type == PX_SFTP_STATUS)
    return px_sftp_fail(error, &reply, place, "list");
  bool ok = read_names(self, &handle, place, visit, data, error);
  px_sftp_forget(self->sftp, px_sftp_send_handle(self->sftp, PX_SFTP_CLOSE, &handle));
  return ok;
}

static bool sftp_list(void *data, const char *path, PxFileVisit visit, void *visit_data, GError **error) {
  Sftp *self = data;
  return connect_to(self, error) && walk(self, path, "list", error) && list_directory(self, path, visit, visit_data, error);
}

/* ---- reading */

/* Opening a pipe would hang the server, so what it is is asked for first; what was opened is what counts. */
static bool open_file(Sftp *self, const char *path, const char *name, const char *place, PxSftpHandle *ret_handle, PxSftpAttrs *ret_attrs,
                      GError **error) {
  PxSftpReply reply;
  g_autofree char *remote = remote_path(self, path, name);
  if (!look_for(self, path, name, place, "open", ret_attrs, error))
    return false;
  const char *refused = px_storage_why_no_file(ret_attrs->mode);
  if (refused)
    return refuse(error, place, refused);
  if (!await_handle(self, px_sftp_send_open(self->sftp, remote, PX_SFTP_FOR_READ), &reply, ret_handle, error))
    return false;
  if (reply.type == PX_SFTP_STATUS && reply.status == PX_SFTP_PERMISSION_DENIED)
    return refuse(error, place, "cannot open: Permission denied; give pattimpex the right to read it");
  if (reply.type == PX_SFTP_STATUS)
    return px_sftp_fail(error, &reply, place, "open");
  if (!await_attrs(self, px_sftp_send_handle(self->sftp, PX_SFTP_FSTAT, ret_handle), &reply, ret_attrs, error))
    return false;
  if (reply.type == PX_SFTP_ATTRS)
    return true;
  px_sftp_forget(self->sftp, px_sftp_send_handle(self->sftp, PX_SFTP_CLOSE, ret_handle));
  return px_sftp_fail(error, &reply, place, "open");
}

/* A link on the way is only looked for once for those that are begun together. */
static void begin_early(Sftp *self) {
  for (const char *path; (path = px_sftp_early_wants(self->early));) {
    bool is_there = walk(self, path, "open", NULL);
    if (!is_there && px_sftp_is_dead(self->sftp))
      return;
    g_autofree char *remote = is_there ? remote_path(self, path, NULL) : NULL;
    px_sftp_early_begin(self->early, self->sftp, remote);
  }
}

static void sftp_expect(void *data, const PxExpected *files, size_t n) {
  Sftp *self = data;
  px_sftp_early_expect(self->early, files, n, px_pace_piece(self->pace, PX_MOST_EARLY_BYTES));
  if (self->sftp)
    px_sftp_go_on(self->sftp);
}

static PxSftpReading *open_late(Sftp *self, const char *path, const char *name, PxSftpAttrs *ret_attrs, GError **error) {
  PxSftpHandle handle = {.len = 0};
  g_autofree char *place = px_name_place(path, name);
  if (!open_file(self, path, name, place, &handle, ret_attrs, error))
    return NULL;
  return px_sftp_reading_new(self->sftp, &handle, ret_attrs->size, place);
}

static void *sftp_open_read(void *data, const char *path, const char *name, PxFileInfo *ret_info, GError **error) {
  Sftp *self = data;
  PxSftpAttrs attrs;
  PxSftpReading *reading;
  if (!connect_to(self, error))
    return NULL;
  begin_early(self);
  if (!px_sftp_early_take(self->early, path, name, &attrs, &reading, error))
    return NULL;
  if (!reading)
    reading = open_late(self, path, name, &attrs, error);
  if (!reading)
    return NULL;
  g_free(self->name);
  self->name = g_strdup(name);
  *ret_info = info_of(self->name, &attrs);
  return reading;
}

static ssize_t sftp_read(void *data, void *reading, void *buffer, size_t size, GError **error) {
  return px_sftp_reading_next(reading, buffer, size, error);
}

static void sftp_close_read(void *data, void *reading) {
  Sftp *self = data;
  px_sftp_reading_free(reading, !px_sftp_is_dead(self->sftp));
}

/* ---- renaming */

static bool take_taken(Sftp *self, uint32_t id, bool *ret_taken, PxSftpAttrs *ret_attrs, GError **error) {
  PxSftpReply reply;
  if (!await_attrs(self, id, &reply, ret_attrs, error))
    return false;
  *ret_taken = reply.type == PX_SFTP_ATTRS;
  return true;
}

static bool is_taken(Sftp *self, const char *remote, bool *ret_taken, PxSftpAttrs *ret_attrs, GError **error) {
  return take_taken(self, px_sftp_send_paths(self->sftp, PX_SFTP_LSTAT, remote, NULL), ret_taken, ret_attrs, error);
}

/* Never over another file. draft 6.5: it is an error if the new name exists, and OpenSSH links it there; where a server is known to do it
 * otherwise, the look before (taken) is all there is. OpenSSH is refused the link by the kernel (fs.protected_hardlinks) for a file of somebody else:
 * then it is renamed, once more after a look. */
static bool rename_new(Sftp *self, const char *from, const char *to, bool taken, const char *place, const char *doing, GError **error) {
  PxSftpReply reply;
  PxSftpAttrs attrs;
  if (taken)
    return px_storage_exists(error, place);
  if (!await_status(self, px_sftp_send_paths(self->sftp, PX_SFTP_RENAME, from, to), &reply, error))
    return false;
  if (reply.status == PX_SFTP_PERMISSION_DENIED && px_sftp_has(self->sftp, PX_SFTP_POSIX_RENAME)) {
    if (!is_taken(self, to, &taken, &attrs, error))
      return false;
    if (taken)
      return px_storage_exists(error, place);
    if (!await_status(self, px_sftp_send_posix_rename(self->sftp, from, to), &reply, error))
      return false;
  }
  if (reply.status == PX_SFTP_OK)
    return true;
  PxSftpReply failure = {.type = PX_SFTP_STATUS, .status = reply.status};
  if (failure.status == PX_SFTP_FAILURE && is_taken(self, to, &taken, &attrs, NULL) && taken)
    return px_storage_exists(error, place);
  return px_sftp_fail(error, &failure, place, doing);
}

/* A server without posix-rename: the old file steps aside for a moment, and comes back if the new one cannot take its place. */
static bool rename_in_steps(Sftp *self, const char *from, const char *to, const char *place, GError **error) {
  g_autofree char *aside = g_strconcat(from, "-old", NULL);
  PxSftpReply reply;
  if (!await_status(self, px_sftp_send_paths(self->sftp, PX_SFTP_RENAME, from, to), &reply, error))
    return false;
  if (reply.status == PX_SFTP_OK)
    return true;
  if (!done(self, px_sftp_send_paths(self->sftp, PX_SFTP_RENAME, to, aside), place, "write", error))
    return false;
  if (done(self, px_sftp_send_paths(self->sftp, PX_SFTP_RENAME, from, to), place, "write", error)) {
    px_sftp_forget(self->sftp, px_sftp_send_paths(self->sftp, PX_SFTP_REMOVE, aside, NULL));
    return true;
  }
  if (!px_sftp_is_dead(self->sftp))
    (void)done(self, px_sftp_send_paths(self->sftp, PX_SFTP_RENAME, aside, to), place, "write", NULL);
  return false;
}

static bool rename_over(Sftp *self, const char *from, const char *to, bool is_directory, const char *place, GError **error) {
  if (is_directory)
    return refuse(error, place, "it is a directory");
  if (!px_sftp_has(self->sftp, PX_SFTP_POSIX_RENAME))
    return rename_in_steps(self, from, to, place, error);
  return done(self, px_sftp_send_posix_rename(self->sftp, from, to), place, "write", error);
}

/* ---- writing */

/* Whether the file system of that directory has no room left, where the server tells (statvfs@openssh.com). */
static bool is_full(Sftp *self, const char *directory) {
  PxSftpReply reply;
  uint64_t values[5] = {0}; /* f_bsize, f_frsize, f_blocks, f_bfree, f_bavail */
  if (px_sftp_is_dead(self->sftp) || !px_sftp_has(self->sftp, PX_SFTP_STATVFS))
    return false;
  uint32_t id = px_sftp_begin(self->sftp, PX_SFTP_EXTENDED);
  px_sftp_add_text(self->sftp, "statvfs@openssh.com");
  px_sftp_add_text(self->sftp, directory);
  px_sftp_send(self->sftp);
  if (!px_sftp_await(self->sftp, id, &reply, NULL) || reply.type != PX_SFTP_EXTENDED_REPLY)
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
    if (!px_sftp_take_u64(&reply, &values[i]))
      return false;
  }
  return values[4] * values[1] < SMALL_ROOM;
}

typedef struct {
  const char *place;
  const char *written; /* the temporary name */
  const char *target;
  int fd;
  uint64_t size;
  uint32_t mtime;    /* by the server's clock */
  bool taken;        /* there is something at the target */
  PxSftpAttrs there; /* then: what */
} Upload;

/* What was written is safe and whole, as far as the server can tell; then it is closed. What is at the target is asked for behind all that. */
static bool seal(Sftp *self, PxSftpWriting *writing, const PxSftpHandle *handle, Upload *upload, GError **error) {
  PxSftpReply reply;
  PxSftpAttrs attrs;
  g_autoptr(GError) problem = NULL;
  bool syncs = px_sftp_has(self->sftp, PX_SFTP_FSYNC);
  uint32_t sync_id = syncs ? px_sftp_send_sync(self->sftp, handle) : 0;
  uint32_t stat_id = px_sftp_send_handle(self->sftp, PX_SFTP_FSTAT, handle);
  uint32_t close_id = px_sftp_send_handle(self->sftp, PX_SFTP_CLOSE, handle);
  uint32_t look_id = px_sftp_send_paths(self->sftp, PX_SFTP_LSTAT, upload->target, NULL);
  bool ok = !syncs || done(self, sync_id, upload->place, "write", &problem);
  bool alive = (ok || !px_sftp_is_dead(self->sftp)) && await_attrs(self, stat_id, &reply, &attrs, ok ? &problem : NULL);
  if (alive)
    ok = done(self, close_id, upload->place, "write", ok ? &problem : NULL) && ok;
  alive = alive && (ok || !px_sftp_is_dead(self->sftp)) && take_taken(self, look_id, &upload->taken, &upload->there, ok ? &problem : NULL);
  if (alive && !px_sftp_write_end(writing, error))
    return false;
  if (!alive || !ok) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  upload->mtime = attrs.mtime;
  if (reply.type == PX_SFTP_STATUS || attrs.size == upload->size)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the server has %" G_GUINT64_FORMAT " of its %" G_GUINT64_FORMAT " bytes", upload->place,
              (guint64)attrs.size, (guint64)upload->size);
  return false;
}

/* Writes the temporary file; it is there when this fails, too, unless the connection is lost. */
static bool fill(Sftp *self, Upload *upload, GError **error) {
  PxSftpReply reply;
  PxSftpHandle handle = {.len = 0};
  g_auto(PxSftpWriting) writing = {.sftp = self->sftp, .place = upload->place};
  uint32_t id = px_sftp_send_open(self->sftp, upload->written, PX_SFTP_FOR_WRITE | PX_SFTP_CREATE | PX_SFTP_EXCLUSIVE);
  if (!await_handle(self, id, &reply, &handle, error))
    return false;
  if (reply.type == PX_SFTP_STATUS)
    return px_sftp_fail(error, &reply, upload->place, "write");
  if (px_sftp_write_all(&writing, &handle, (PxPacedFd){upload->fd, self->pace}, upload->size, error))
    return seal(self, &writing, &handle, upload, error);
  if (!px_sftp_is_dead(self->sftp))
    px_sftp_forget(self->sftp, px_sftp_send_handle(self->sftp, PX_SFTP_CLOSE, &handle));
  return false;
}

typedef struct {
  GPtrArray *names;
  uint32_t before;
} Old;

static bool see_old(const PxFileInfo *info, void *data) {
  const Old *old = data;
  if (!info->is_directory && g_str_has_prefix(info->name, PX_TEMPORARY_PREFIX) && info->mtime_ns / SECOND_NS < old->before)
    g_ptr_array_add(old->names, g_strdup(info->name));
  return true;
}

/* Temporary files of puts that died, once a directory. Their age is told by the server's own clock. */
static void sweep(Sftp *self, const char *path, uint32_t now) {
  if (now < DAY_S || !g_hash_table_add(self->swept, g_strdup(path)))
    return;
  Old old = {.names = g_ptr_array_new_with_free_func(g_free), .before = now - DAY_S};
  (void)list_directory(self, path, see_old, &old, NULL);
  for (unsigned i = 0; i < old.names->len && !px_sftp_is_dead(self->sftp); i++) {
    g_autofree char *remote = remote_path(self, path, old.names->pdata[i]);
    (void)done(self, px_sftp_send_paths(self->sftp, PX_SFTP_REMOVE, remote, NULL), remote, "remove", NULL);
  }
  g_ptr_array_unref(old.names);
}

/* An error of writing, in plain words where the disk is full. */
static bool tell_full(Sftp *self, const char *path, const char *place, GError **problem, GError **error) {
  g_autofree char *directory = remote_path(self, path, NULL);
  if (is_full(self, directory))
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: cannot write: No space left on device; make room and run again", place);
  else
    g_propagate_error(error, g_steal_pointer(problem));
  return false;
}

static bool sftp_put(void *data, const PxPut *put, GError **error) {
  Sftp *self = data;
  const char *path = put->path;
  const char *name = put->name;
  g_autofree char *temporary = NULL;
  g_autofree char *place = px_name_place(path, name);
  g_autoptr(GError) problem = NULL;
  if (!connect_to(self, error) || !(is_known_way(self, path) || make_way(self, path, error)) ||
      !px_name_temporary(put->tmp_suffix, &temporary, error))
    return false;
  g_autofree char *written = remote_path(self, path, temporary);
  g_autofree char *target = remote_path(self, path, name);
  Upload upload = {.place = place, .written = written, .target = target, .fd = put->fd, .size = put->size};
  if (!fill(self, &upload, &problem)) {
    if (!px_sftp_is_dead(self->sftp))
      (void)done(self, px_sftp_send_paths(self->sftp, PX_SFTP_REMOVE, written, NULL), place, "remove", NULL);
    return tell_full(self, path, place, &problem, error);
  }
  px_hook("storage.put.written");
  bool ok = put->replace ? rename_over(self, written, target, upload.taken && S_ISDIR(upload.there.mode), place, error)
                         : rename_new(self, written, target, upload.taken, place, "write", error);
  px_hook("storage.put.renamed");
  if (!px_sftp_is_dead(self->sftp) && !ok)
    (void)done(self, px_sftp_send_paths(self->sftp, PX_SFTP_REMOVE, written, NULL), place, "remove", NULL);
  if (!px_sftp_is_dead(self->sftp) && ok)
    sweep(self, path, upload.mtime);
  return ok;
}

/* Whether path is there, or could be made; asked once for each. */
static bool has_way(Sftp *self, GHashTable *ways, const char *path) {
  gpointer known;
  if (!g_hash_table_lookup_extended(ways, path, NULL, &known)) {
    known = GINT_TO_POINTER(make_way(self, path, NULL));
    g_hash_table_insert(ways, (gpointer)(uintptr_t)path, known);
  }
  return GPOINTER_TO_INT(known);
}

static void sending_clear(void *data) {
  PxSftpSending *sending = data;
  g_free(sending->written);
  g_free(sending->target);
}

static void sftp_put_all(void *data, PxPutting *puttings, size_t n) {
  Sftp *self = data;
  g_autoptr(GHashTable) ways = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GArray) sendings = g_array_sized_new(FALSE, FALSE, sizeof(PxSftpSending), (guint)n);
  g_autoptr(GError) problem = NULL;
  g_array_set_clear_func(sendings, sending_clear);
  if (!connect_to(self, &problem)) {
    for (size_t i = 0; i < n; i++) {
      puttings[i].decided = true;
      puttings[i].error = g_error_copy(problem);
    }
    return;
  }
  for (size_t i = 0; i < n && !px_sftp_is_dead(self->sftp); i++) {
    const PxPut *put = &puttings[i].put;
    g_autofree char *temporary = NULL;
    if (!has_way(self, ways, put->path) || !px_name_temporary(put->tmp_suffix, &temporary, NULL))
      continue;
    const PxSftpSending sending = {
      .putting = &puttings[i], .written = remote_path(self, put->path, temporary), .target = remote_path(self, put->path, put->name)};
    g_array_append_val(sendings, sending);
  }
  px_sftp_put_all(self->sftp, self->more, self->pace, (PxSftpSending *)(void *)sendings->data, sendings->len);
  for (guint i = 0; i < sendings->len && !px_sftp_is_dead(self->sftp); i++) {
    const PxSftpSending *sending = &g_array_index(sendings, PxSftpSending, i);
    sweep(self, sending->putting->put.path, sending->mtime);
  }
}

/* ---- moving, removing */

static bool sftp_move(void *data, const char *from_path, const char *from_name, const char *to_path, const char *to_name, GError **error) {
  Sftp *self = data;
  PxSftpAttrs attrs;
  bool taken;
  g_autofree char *from_place = px_name_place(from_path, from_name);
  g_autofree char *to_place = px_name_place(to_path, to_name);
  if (!connect_to(self, error) || !look_for(self, from_path, from_name, from_place, "move", &attrs, error))
    return false;
  g_autofree char *from = remote_path(self, from_path, from_name);
  g_autofree char *to = remote_path(self, to_path, to_name);
  const char *refused = px_storage_why_no_file(attrs.mode);
  if (refused)
    return refuse(error, from_place, refused);
  if (!make_way(self, to_path, error) || !is_taken(self, to, &taken, &attrs, error) ||
      !rename_new(self, from, to, taken, to_place, "move a file to this name", error))
    return false;
  px_hook("storage.moved");
  return true;
}

static bool sftp_remove(void *data, const char *path, const char *name, GError **error) {
  Sftp *self = data;
  PxSftpAttrs attrs;
  g_autofree char *place = px_name_place(path, name);
  if (!connect_to(self, error) || !look_for(self, path, name, place, "remove", &attrs, error))
    return false;
  if (S_ISDIR(attrs.mode))
    return refuse(error, place, "it is a directory");
  g_autofree char *remote = remote_path(self, path, name);
  return done(self, px_sftp_send_paths(self->sftp, PX_SFTP_REMOVE, remote, NULL), place, "remove", error);
}

/* ---- checking */

static bool see_one(const PxFileInfo *info, void *data) {
  return false;
}

static bool sftp_check(void *data, bool probe, GError **error) {
  Sftp *self = data;
  g_autofree char *name = NULL;
  PxSftpReply reply;
  PxSftpHandle handle = {.len = 0};
  if (!connect_to(self, error) || !list_directory(self, "", see_one, NULL, error))
    return false;
  if (!probe)
    return true;
  if (!px_name_temporary("", &name, error))
    return false;
  g_autofree char *remote = remote_path(self, "", name);
  if (!await_handle(self, px_sftp_send_open(self->sftp, remote, PX_SFTP_FOR_WRITE | PX_SFTP_CREATE | PX_SFTP_EXCLUSIVE), &reply, &handle, error))
    return false;
  if (reply.type == PX_SFTP_STATUS)
    return px_sftp_fail(error, &reply, "its directory", "write in it");
  bool closed = done(self, px_sftp_send_handle(self->sftp, PX_SFTP_CLOSE, &handle), "its directory", "write in it", error);
  return closed && done(self, px_sftp_send_paths(self->sftp, PX_SFTP_REMOVE, remote, NULL), "its directory", "remove a file of it", error);
}

static bool sftp_host_key(void *data, bool trust, char **ret_key, bool *ret_known, GError **error) {
  const Sftp *self = data;
  return px_ssh_host_key(&self->settings->ssh, trust, ret_key, ret_known, error);
}

const PxStorageDriver px_sftp_storage = {
  .type = "sftp",
  .keys = px_sftp_keys,
  .n_keys = G_N_ELEMENTS(px_sftp_keys),
  .settings_size = sizeof(PxSftpSettings),
  .connects = true,
  .defaults = px_sftp_defaults,
  .check_settings = px_sftp_check_settings,
  .free_settings = px_sftp_free_settings,
  .place = px_sftp_place,
  .open = sftp_open,
  .close = sftp_close,
  .list = sftp_list,
  .expect = sftp_expect,
  .open_read = sftp_open_read,
  .read = sftp_read,
  .close_read = sftp_close_read,
  .put = sftp_put,
  .put_all = sftp_put_all,
  .move = sftp_move,
  .remove = sftp_remove,
  .check = sftp_check,
  .host_key = sftp_host_key,
  .host_key_setting = "host_key",
};
