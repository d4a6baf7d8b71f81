/* SPDX-License-Identifier: Apache-2.0 */
/* The storage: put that is atomic, move that never replaces, as far as the protocol can. FTP has no open file: what a file is is asked first, its
 * bytes come with the first read, and what came is compared with what was told. */
#include "base/hook.h"
#include "storage/ftp_private.h"
#include "storage/name_private.h"

#include <string.h>
#include <sys/stat.h>

#define SECOND_NS INT64_C(1000000000)
#define DAY_NS (24 * 60 * 60 * SECOND_NS)

typedef struct {
  const PxFtpSettings *settings;
  PxPace *pace;
  PxFtp *ftp;
  PxFtpTree *tree;
  PxFtpCrew *crew;
  PxFtpEarly *early;
  char *name;        /* of the file opened last */
  GHashTable *swept; /* directories whose leftover temporary files are gone */
} Ftp;

static void *ftp_open(const void *settings, PxPace *pace) {
  Ftp *self = g_new0(Ftp, 1);
  self->settings = settings;
  self->pace = pace;
  self->ftp = px_ftp_open(settings, pace);
  self->tree = px_ftp_tree_new(self->ftp);
  self->crew = px_ftp_crew_new();
  self->early = px_ftp_early_new(self->crew);
  self->swept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

static void ftp_close(void *data) {
  Ftp *self = data;
  px_ftp_early_free(self->early);
  px_ftp_crew_free(self->crew);
  px_ftp_tree_free(self->tree);
  px_ftp_close(self->ftp);
  g_hash_table_unref(self->swept);
  g_free(self->name);
  g_free(self);
}

static bool refuse(GError **error, const char *place, const char *why) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: %s", place, why);
  return false;
}

/* What was found out about directories may be the reason of a failure. */
static bool failed(Ftp *self) {
  px_ftp_tree_forget(self->tree);
  return false;
}

/* One command on a file, which is to be done. */
static bool command(Ftp *self, const char *verb, const char *remote, const char *place, const char *doing, GError **error) {
  px_ftp_begin(self->ftp);
  px_ftp_add(self->ftp, verb, remote);
  if (!px_ftp_send(self->ftp, error))
    return false;
  PxFtpReply reply = px_ftp_reply(self->ftp, 0);
  return px_ftp_is_yes(&reply) || px_ftp_denied(self->ftp, place, doing, error);
}

/* ---- listing, reading */

static bool ftp_list(void *data, const char *path, PxFileVisit visit, void *visit_data, GError **error) {
  Ftp *self = data;
  px_ftp_crew_hang_up(self->crew);
  bool ok = px_ftp_connect(self->ftp, error) && px_ftp_tree_walk(self->tree, path, "list", error) &&
            px_ftp_tree_list(self->tree, path, visit, visit_data, error);
  return ok || failed(self);
}

/* A regular file that is there. */
static bool find(Ftp *self, const char *path, const char *name, const char *doing, PxFtpEntry *ret, GError **error) {
  g_autofree char *place = px_name_place(path, name);
  if (!px_ftp_connect(self->ftp, error) || !px_ftp_tree_walk_to(self->tree, path, place, doing, error) ||
      !px_ftp_tree_look(self->tree, path, name, ret, error))
    return failed(self);
  if (ret->mode == 0)
    return px_storage_not_found(error, place, doing);
  const char *refused = px_storage_why_no_file(ret->mode);
  return !refused || refuse(error, place, refused);
}

static void ftp_expect(void *data, const PxExpected *files, size_t n) {
  Ftp *self = data;
  px_ftp_early_expect(self->early, files, n, px_pace_piece(self->pace, PX_MOST_EARLY_BYTES));
}

/* The way to those that are begun together is only looked at once. */
static void begin_early(Ftp *self) {
  for (const char *path; (path = px_ftp_early_wants(self->early));)
    px_ftp_early_begin(self->early, self->tree, px_ftp_tree_walk(self->tree, path, "open", NULL));
  px_ftp_early_get_help(self->early, self->ftp, (unsigned)self->settings->connections - 1);
}

typedef struct {
  char *remote;
  bool started;
  char *bytes; /* of a file that was read already; NULL: it was not */
  size_t size, given;
} Reading;

static Reading *open_early(Ftp *self, const char *path, const char *name, PxFtpEntry *ret_entry) {
  begin_early(self);
  char *bytes = px_ftp_early_take(self->early, self->ftp, path, name, ret_entry);
  if (!bytes)
    return NULL;
  Reading *reading = g_new0(Reading, 1);
  reading->bytes = bytes;
  reading->size = (size_t)ret_entry->size;
  return reading;
}

static Reading *open_late(Ftp *self, const char *path, const char *name, PxFtpEntry *ret_entry, GError **error) {
  if (!find(self, path, name, "open", ret_entry, error))
    return NULL;
  Reading *reading = g_new0(Reading, 1);
  reading->remote = px_ftp_tree_remote(self->tree, path, name);
  return reading;
}

static void *ftp_open_read(void *data, const char *path, const char *name, PxFileInfo *ret_info, GError **error) {
  Ftp *self = data;
  PxFtpEntry entry;
  if (!px_ftp_connect(self->ftp, error))
    return NULL;
  Reading *reading = open_early(self, path, name, &entry);
  if (!reading)
    reading = open_late(self, path, name, &entry, error);
  if (!reading)
    return NULL;
  g_free(self->name);
  self->name = g_strdup(name);
  *ret_info =
    (PxFileInfo){.name = self->name, .size = entry.size, .mtime_ns = entry.mtime_ns, .mtime_precision_ns = entry.mtime_precision_ns, .identity = ""};
  return reading;
}

/* 550 may be for a moment only: the file is written, locked, gone. */
static ssize_t read_failed(Ftp *self, GError **problem, GError **error) {
  CURLcode result = px_exchange_result(px_ftp_exchange(self->ftp));
  g_autofree char *said = px_ftp_said(self->ftp);
  (void)failed(self);
  if (result == CURLE_FTP_COULDNT_RETR_FILE || result == CURLE_REMOTE_FILE_NOT_FOUND || result == CURLE_REMOTE_ACCESS_DENIED)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: cannot open: the server says: %s; give pattimpex the right to read it", self->name, said);
  else
    g_propagate_prefixed_error(error, g_steal_pointer(problem), "%s: ", self->name);
  return -1;
}

static ssize_t read_kept(Reading *reading, void *buffer, size_t size) {
  size_t n = MIN(size, reading->size - reading->given);
  memcpy(buffer, reading->bytes + reading->given, n);
  reading->given += n;
  return (ssize_t)n;
}

static ssize_t ftp_read(void *data, void *reading_data, void *buffer, size_t size, GError **error) {
  Ftp *self = data;
  Reading *reading = reading_data;
  g_autoptr(GError) problem = NULL;
  if (reading->bytes)
    return read_kept(reading, buffer, size);
  if (!reading->started) {
    reading->started = true;
    px_ftp_begin(self->ftp);
    px_ftp_request(self->ftp, reading->remote);
    if (!px_exchange_start(px_ftp_exchange(self->ftp), &problem))
      return read_failed(self, &problem, error);
  }
  ssize_t got = px_exchange_read(px_ftp_exchange(self->ftp), buffer, size, &problem);
  return got >= 0 ? got : read_failed(self, &problem, error);
}

static void ftp_close_read(void *data, void *reading_data) {
  const Ftp *self = data;
  Reading *reading = reading_data;
  if (reading->started)
    px_exchange_end(px_ftp_exchange(self->ftp));
  g_free(reading->remote);
  g_free(reading->bytes);
  g_free(reading);
}

/* ---- renaming */

static bool rename_to(Ftp *self, const char *from, const char *to, bool *ret_done, GError **error) {
  px_ftp_begin(self->ftp);
  px_ftp_add(self->ftp, "RNFR", from);
  px_ftp_add(self->ftp, "RNTO", to);
  if (!px_ftp_send(self->ftp, error))
    return false;
  PxFtpReply begun = px_ftp_reply(self->ftp, 0);
  PxFtpReply ended = px_ftp_reply(self->ftp, 1);
  *ret_done = begun.code == 350 && px_ftp_is_yes(&ended);
  return true;
}

/* Never over another file. Most servers would rename over it, so the look before is all there is. */
static bool rename_new(Ftp *self, const char *from, const char *path, const char *name, const char *doing, GError **error) {
  PxFtpEntry entry;
  bool done;
  g_autofree char *place = px_name_place(path, name);
  g_autofree char *to = px_ftp_tree_remote(self->tree, path, name);
  if (!px_ftp_tree_look(self->tree, path, name, &entry, error))
    return false;
  if (entry.mode != 0)
    return px_storage_exists(error, place);
  if (!rename_to(self, from, to, &done, error))
    return false;
  return done || px_ftp_denied(self->ftp, place, doing, error);
}

/* A server that does not rename over a file: the old one steps aside for a moment, and comes back if the new one cannot take its place. */
static bool rename_in_steps(Ftp *self, const char *from, const char *to, const char *place, bool *ret_lost, GError **error) {
  g_autofree char *aside = g_strconcat(from, "-old", NULL);
  bool done;
  if (!rename_to(self, to, aside, &done, error))
    return false;
  if (!done)
    return px_ftp_denied(self->ftp, place, "replace", error);
  g_autoptr(GError) problem = NULL;
  bool ok = rename_to(self, from, to, &done, &problem);
  if (ok && done)
    return command(self, "DELE", aside, aside, "remove", error);
  g_autofree char *said = px_ftp_said(self->ftp);
  if (rename_to(self, aside, to, &done, NULL) && done) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: cannot replace: %s; the old file is there as it was", place, ok ? said : problem->message);
    return false;
  }
  *ret_lost = true;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT,
              "%s: cannot replace: %s; the old file is on the server as %s, the new one as %s: rename the one that is wanted to %s", place,
              ok ? said : problem->message, aside, from, to);
  return false;
}

/* *ret_lost: neither file has the name now, and the temporary one must stay. */
static bool rename_over(Ftp *self, const char *from, const char *path, const char *name, bool *ret_lost, GError **error) {
  PxFtpEntry entry;
  bool done;
  g_autofree char *place = px_name_place(path, name);
  g_autofree char *to = px_ftp_tree_remote(self->tree, path, name);
  if (!px_ftp_tree_look(self->tree, path, name, &entry, error))
    return false;
  if (S_ISDIR(entry.mode))
    return refuse(error, place, "it is a directory");
  if (!rename_to(self, from, to, &done, error))
    return false;
  if (done)
    return true;
  if (entry.mode == 0)
    return px_ftp_denied(self->ftp, place, "write", error);
  return rename_in_steps(self, from, to, place, ret_lost, error);
}

/* ---- writing */

static bool upload_failed(const Ftp *self, const char *place, GError **problem, GError **error) {
  PxExchange *exchange = px_ftp_exchange(self->ftp);
  long status = px_exchange_status(exchange);
  if (status == 452 || status == 552) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: cannot write: No space left on device; make room and run again", place);
    return false;
  }
  if (px_exchange_result(exchange) == CURLE_UPLOAD_FAILED && status >= 500)
    return px_ftp_denied(self->ftp, place, "write", error);
  g_propagate_prefixed_error(error, g_steal_pointer(problem), "%s: ", place);
  return false;
}

/* What the server has is compared with what was sent. *ret_mtime_ns: by the server's clock; 0: not told. */
static bool compare_size(Ftp *self, const char *remote, uint64_t size, const char *place, int64_t *ret_mtime_ns, GError **error) {
  px_ftp_begin(self->ftp);
  px_ftp_add(self->ftp, "TYPE", "I");
  px_ftp_add(self->ftp, "SIZE", remote);
  px_ftp_add(self->ftp, "MDTM", remote);
  if (!px_ftp_send(self->ftp, error))
    return false;
  PxFtpReply told = px_ftp_reply(self->ftp, 1);
  PxFtpReply time = px_ftp_reply(self->ftp, 2);
  uint64_t found = size;
  *ret_mtime_ns = 0;
  if (time.code == 213 && strlen(time.lines[time.n - 1]) > 4)
    (void)px_ftp_parse_time(time.lines[time.n - 1] + 4, ret_mtime_ns);
  if (px_ftp_read_size(&told, &found) && found != size) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the server has %" G_GUINT64_FORMAT " of its %" G_GUINT64_FORMAT " bytes", place,
                (guint64)found, (guint64)size);
    return false;
  }
  return true;
}

static bool fill(Ftp *self, const char *remote, int fd, uint64_t size, const char *place, int64_t *ret_mtime_ns, GError **error) {
  g_autoptr(GError) problem = NULL;
  char byte;
  if (pread(fd, &byte, 1, (off_t)size) > 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: more than the %" G_GUINT64_FORMAT " bytes it had; it changed while it was copied", place,
                (guint64)size);
    return false;
  }
  px_ftp_begin(self->ftp);
  px_ftp_request(self->ftp, remote);
  px_exchange_upload(px_ftp_exchange(self->ftp), fd, 0, size);
  if (!px_exchange_perform(px_ftp_exchange(self->ftp), NULL, 0, &problem))
    return upload_failed(self, place, &problem, error);
  return compare_size(self, remote, size, place, ret_mtime_ns, error);
}

/* Whether there is a server to be spoken to, after a failure. */
static bool is_alive(const Ftp *self) {
  switch (px_exchange_result(px_ftp_exchange(self->ftp))) {
  case CURLE_COULDNT_CONNECT:
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_OPERATION_TIMEDOUT:
    return false;
  default:
    return true;
  }
}

typedef struct {
  GPtrArray *names;
  int64_t before_ns;
} Old;

static bool see_old(const PxFileInfo *info, void *data) {
  const Old *old = data;
  if (!info->is_directory && g_str_has_prefix(info->name, PX_TEMPORARY_PREFIX) && info->mtime_precision_ns > 0 &&
      info->mtime_ns + info->mtime_precision_ns < old->before_ns)
    g_ptr_array_add(old->names, g_strdup(info->name));
  return true;
}

/* Temporary files of puts that died, once a directory. Their age is told by the server's own clock. */
static void sweep(Ftp *self, const char *path, int64_t now_ns) {
  if (now_ns < DAY_NS || !g_hash_table_add(self->swept, g_strdup(path)))
    return;
  Old old = {.names = g_ptr_array_new_with_free_func(g_free), .before_ns = now_ns - DAY_NS};
  bool listed = px_ftp_tree_list(self->tree, path, see_old, &old, NULL);
  for (unsigned i = 0; listed && i < old.names->len; i++) {
    g_autofree char *remote = px_ftp_tree_remote(self->tree, path, old.names->pdata[i]);
    if (!command(self, "DELE", remote, remote, "remove", NULL) && !is_alive(self))
      break;
  }
  g_ptr_array_unref(old.names);
}

static bool ftp_put(void *data, const PxPut *put, GError **error) {
  Ftp *self = data;
  const char *path = put->path;
  const char *name = put->name;
  g_autofree char *temporary = NULL;
  g_autofree char *place = px_name_place(path, name);
  int64_t mtime_ns = 0;
  bool lost = false;
  if (!px_ftp_connect(self->ftp, error) || !px_ftp_tree_make_way(self->tree, path, error) || !px_name_temporary(put->tmp_suffix, &temporary, error))
    return failed(self);
  g_autofree char *written = px_ftp_tree_remote(self->tree, path, temporary);
  bool ok = fill(self, written, put->fd, put->size, place, &mtime_ns, error);
  if (ok) {
    px_hook("storage.put.written");
    ok = put->replace ? rename_over(self, written, path, name, &lost, error) : rename_new(self, written, path, name, "write", error);
    px_hook("storage.put.renamed");
  }
  if (ok) {
    px_ftp_tree_note(self->tree, path, name, true);
    sweep(self, path, mtime_ns);
  } else if (!lost && is_alive(self))
    (void)command(self, "DELE", written, place, "remove", NULL);
  return ok || failed(self);
}

/* Those whose ways are there, and whose names seem to be free or may be replaced. */
static GPtrArray *choose(Ftp *self, PxPutting *puttings, size_t n) {
  GPtrArray *chosen = g_ptr_array_sized_new((guint)n);
  const char *missing = NULL;
  for (size_t i = 0; i < n; i++) {
    const PxPut *put = &puttings[i].put;
    if (missing && strcmp(missing, put->path) == 0)
      continue;
    if (!px_ftp_tree_make_way(self->tree, put->path, NULL)) {
      missing = put->path;
      (void)failed(self);
    } else if (px_ftp_tree_may_put(self->tree, put->path, put->name, put->replace))
      g_ptr_array_add(chosen, &puttings[i]);
  }
  return chosen;
}

/* By the time of what was put last. */
static void sweep_after(Ftp *self, const PxPut *put) {
  PxFtpEntry entry = {0};
  g_autofree char *remote = px_ftp_tree_remote(self->tree, put->path, put->name);
  px_ftp_begin(self->ftp);
  px_ftp_add(self->ftp, "MDTM", remote);
  if (!px_ftp_send(self->ftp, NULL))
    return;
  PxFtpReply time = px_ftp_reply(self->ftp, 0);
  if (px_ftp_read_time(&time, &entry))
    sweep(self, put->path, entry.mtime_ns);
}

static void ftp_put_all(void *data, PxPutting *puttings, size_t n) {
  Ftp *self = data;
  if (!px_ftp_connect(self->ftp, NULL))
    return;
  g_autoptr(GPtrArray) chosen = choose(self, puttings, n);
  px_ftp_put_all(self->ftp, self->tree, self->crew, (unsigned)self->settings->connections - 1, (PxPutting *const *)chosen->pdata, chosen->len);
  const char *swept = NULL;
  for (guint i = 0; i < chosen->len; i++) {
    const PxPutting *putting = chosen->pdata[i];
    const PxPut *put = &putting->put;
    if (!putting->decided)
      continue;
    px_ftp_tree_note(self->tree, put->path, put->name, true);
    if ((!swept || strcmp(swept, put->path) != 0) && !g_hash_table_contains(self->swept, put->path))
      sweep_after(self, put);
    swept = put->path;
  }
}

/* ---- moving, removing */

static bool ftp_move(void *data, const char *from_path, const char *from_name, const char *to_path, const char *to_name, GError **error) {
  Ftp *self = data;
  PxFtpEntry entry;
  px_ftp_crew_hang_up(self->crew);
  if (!find(self, from_path, from_name, "move", &entry, error))
    return false;
  g_autofree char *from = px_ftp_tree_remote(self->tree, from_path, from_name);
  if (!px_ftp_tree_make_way(self->tree, to_path, error) || !rename_new(self, from, to_path, to_name, "move a file to this name", error))
    return failed(self);
  px_ftp_tree_note(self->tree, from_path, from_name, false);
  px_ftp_tree_note(self->tree, to_path, to_name, true);
  px_hook("storage.moved");
  return true;
}

static bool ftp_remove(void *data, const char *path, const char *name, GError **error) {
  Ftp *self = data;
  PxFtpEntry entry;
  g_autofree char *place = px_name_place(path, name);
  if (!px_ftp_connect(self->ftp, error) || !px_ftp_tree_walk_to(self->tree, path, place, "remove", error) ||
      !px_ftp_tree_look(self->tree, path, name, &entry, error))
    return failed(self);
  if (S_ISDIR(entry.mode))
    return refuse(error, place, "it is a directory");
  if (entry.mode == 0)
    return px_storage_not_found(error, place, "remove");
  g_autofree char *remote = px_ftp_tree_remote(self->tree, path, name);
  if (!command(self, "DELE", remote, place, "remove", error))
    return failed(self);
  px_ftp_tree_note(self->tree, path, name, false);
  return true;
}

/* ---- checking */

static bool see_one(const PxFileInfo *info, void *data) {
  return false;
}

static bool ftp_check(void *data, bool probe, GError **error) {
  Ftp *self = data;
  g_autofree char *name = NULL;
  g_autoptr(GError) problem = NULL;
  if (!ftp_list(self, "", see_one, NULL, error))
    return false;
  if (!probe)
    return true;
  if (!px_name_temporary("", &name, error))
    return false;
  g_autofree char *remote = px_ftp_tree_remote(self->tree, "", name);
  px_ftp_begin(self->ftp);
  px_ftp_request(self->ftp, remote);
  px_exchange_upload(px_ftp_exchange(self->ftp), -1, 0, 0);
  if (!px_exchange_perform(px_ftp_exchange(self->ftp), NULL, 0, &problem)) {
    if (px_exchange_result(px_ftp_exchange(self->ftp)) == CURLE_UPLOAD_FAILED)
      return px_ftp_denied(self->ftp, "its directory", "write in it", error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  return command(self, "DELE", remote, "its directory", "remove a file of it", error);
}

static bool ftp_host_key(void *data, bool trust, char **ret_key, bool *ret_known, GError **error) {
  const Ftp *self = data;
  return px_ftp_certificate(self->settings, trust, ret_key, ret_known, error);
}

const PxStorageDriver px_ftp_storage = {
  .type = "ftp",
  .keys = px_ftp_keys,
  .n_keys = G_N_ELEMENTS(px_ftp_keys),
  .settings_size = sizeof(PxFtpSettings),
  .connects = true,
  .defaults = px_ftp_defaults,
  .check_settings = px_ftp_check_settings,
  .free_settings = px_ftp_free_settings,
  .risk = px_ftp_risk,
  .place = px_ftp_place,
  .open = ftp_open,
  .close = ftp_close,
  .list = ftp_list,
  .expect = ftp_expect,
  .open_read = ftp_open_read,
  .read = ftp_read,
  .close_read = ftp_close_read,
  .put = ftp_put,
  .put_all = ftp_put_all,
  .move = ftp_move,
  .remove = ftp_remove,
  .check = ftp_check,
  .host_key = ftp_host_key,
  .host_key_setting = "certificate",
};
