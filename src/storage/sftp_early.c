/* SPDX-License-Identifier: Apache-2.0 */
/* Files that will be asked for, opened and read while those before them are worked on: each is some requests, one after the other, and of many files
 * they are on their way at once. Of a file that does not go as it was listed nothing is said here: it is opened again when its turn comes. */
#include "storage/name_private.h"
#include "storage/sftp_private.h"

#include <string.h>

typedef struct {
  PxSftp *sftp;
  const PxExpected *expected;
  char *remote;
  PxSftpAttrs attrs; /* as opened, when is_open */
  PxSftpReading *reading;
  uint32_t id; /* of the request that is answered next */
  bool waits, is_open;
  bool fails; /* the server gives no handle */
} File;

struct PxSftpEarly {
  const PxExpected *files;
  size_t n, next; /* the first that was not begun */
  uint64_t most, bytes;
  unsigned most_files;
  GQueue begun; /* File, in their order */
};

PxSftpEarly *px_sftp_early_new(void) {
  PxSftpEarly *early = g_new0(PxSftpEarly, 1);
  early->most_files = PX_MOST_EARLY; /* each has a handle; OpenSSH gives as many as it has descriptors, others fewer */
  g_queue_init(&early->begun);
  return early;
}

void px_sftp_early_free(PxSftpEarly *early) {
  px_sftp_early_give_up(early, false);
  g_free(early);
}

/* ---- one file, an answer at a time */

static void send(File *file, uint32_t id, PxSftpTake take) {
  file->id = id;
  file->waits = true;
  px_sftp_route(file->sftp, id, take, file);
}

/* The attributes that are as they were listed; *ret_fits false: they are not, or there are none. */
static bool take_listed(File *file, PxSftpReply *reply, PxSftpAttrs *ret, bool *ret_fits, GError **error) {
  file->waits = false;
  *ret_fits = reply->type == PX_SFTP_ATTRS;
  if (reply->type != PX_SFTP_STATUS && !(*ret_fits && px_sftp_take_attrs(reply, ret)))
    return px_sftp_broken(file->sftp, error);
  *ret_fits = *ret_fits && !px_storage_why_no_file(ret->mode) && ret->size == file->expected->size;
  return true;
}

static bool take_open_attrs(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  return take_listed(file, reply, &file->attrs, &file->is_open, error);
}

static bool take_handle(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  PxSftpHandle handle;
  file->waits = false;
  file->fails = reply->type == PX_SFTP_STATUS && reply->status == PX_SFTP_FAILURE;
  if (reply->type == PX_SFTP_STATUS)
    return true;
  if (reply->type != PX_SFTP_HANDLE || !px_sftp_take_handle(reply, &handle))
    return px_sftp_broken(file->sftp, error);
  g_autofree char *place = px_name_place(file->expected->path, file->expected->name);
  file->reading = px_sftp_reading_new(file->sftp, &handle, file->expected->size, place);
  send(file, px_sftp_send_handle(file->sftp, PX_SFTP_FSTAT, &handle), take_open_attrs);
  px_sftp_reading_begin(file->reading);
  return true;
}

/* Opening a pipe would hang the server, so what it is is asked for first. */
static bool take_look(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  PxSftpAttrs attrs;
  bool fits;
  if (!take_listed(file, reply, &attrs, &fits, error))
    return false;
  if (fits)
    send(file, px_sftp_send_open(file->sftp, file->remote, PX_SFTP_FOR_READ), take_handle);
  return true;
}

/* A handle that is still to come is closed when it does. */
static bool close_late(void *data, PxSftpReply *reply, GError **error) {
  PxSftp *sftp = data;
  PxSftpHandle handle;
  if (reply->type == PX_SFTP_HANDLE && px_sftp_take_handle(reply, &handle))
    px_sftp_forget(sftp, px_sftp_send_handle(sftp, PX_SFTP_CLOSE, &handle));
  return true;
}

static void file_free(PxSftpEarly *early, File *file, bool alive) {
  early->bytes -= file->expected->size;
  if (file->waits)
    px_sftp_route(file->sftp, file->id, close_late, file->sftp);
  if (file->reading)
    px_sftp_reading_free(file->reading, alive);
  g_free(file->remote);
  g_free(file);
}

/* ---- all of them */

void px_sftp_early_give_up(PxSftpEarly *early, bool alive) {
  for (File *file; (file = g_queue_pop_head(&early->begun));)
    file_free(early, file, alive);
}

void px_sftp_early_expect(PxSftpEarly *early, const PxExpected *files, size_t n, size_t most) {
  const File *first = g_queue_peek_head(&early->begun);
  px_sftp_early_give_up(early, first && !px_sftp_is_dead(first->sftp));
  early->files = files;
  early->n = n;
  early->next = 0;
  early->most = most;
}

static bool has_room_for(const PxSftpEarly *early, const PxExpected *expected) {
  return early->begun.length == 0 || (early->begun.length < early->most_files && early->bytes + expected->size <= early->most);
}

/* Many at once are fewer packets, and one look at their path: so not before there is room for some. */
const char *px_sftp_early_wants(PxSftpEarly *early) {
  bool has_room = early->begun.length <= early->most_files / 2 && early->bytes <= early->most / 2;
  while (early->next < early->n && early->files[early->next].size > PX_MOST_EARLY_BYTES_OF_ONE)
    early->next++;
  return has_room && early->next < early->n && has_room_for(early, &early->files[early->next]) ? early->files[early->next].path : NULL;
}

static void begin_file(PxSftpEarly *early, PxSftp *sftp, const PxExpected *expected, const char *remote_path) {
  File *file = g_new0(File, 1);
  *file = (File){.sftp = sftp, .expected = expected};
  file->remote = g_strconcat(remote_path, g_str_has_suffix(remote_path, "/") ? "" : "/", expected->name, NULL);
  early->bytes += expected->size;
  g_queue_push_tail(&early->begun, file);
  send(file, px_sftp_send_paths(sftp, PX_SFTP_LSTAT, file->remote, NULL), take_look);
}

void px_sftp_early_begin(PxSftpEarly *early, PxSftp *sftp, const char *remote_path) {
  const char *path = early->files[early->next].path;
  for (; early->next < early->n && strcmp(early->files[early->next].path, path) == 0; early->next++) {
    const PxExpected *expected = &early->files[early->next];
    if (!remote_path || expected->size > PX_MOST_EARLY_BYTES_OF_ONE)
      continue;
    if (!has_room_for(early, expected))
      break;
    begin_file(early, sftp, expected, remote_path);
  }
}

static bool is_meant(const File *file, const char *path, const char *name) {
  return strcmp(file->expected->name, name) == 0 && strcmp(file->expected->path, path) == 0;
}

static bool is_begun(const PxSftpEarly *early, const char *path, const char *name) {
  for (const GList *at = early->begun.head; at; at = at->next)
    if (is_meant(at->data, path, name))
      return true;
  return false;
}

/* It may be that too many are open: then those behind this one are closed, for it to be opened, and begun again, fewer at a time. */
static void make_room(PxSftpEarly *early) {
  const File *first = g_queue_peek_head(&early->begun);
  early->most_files = MAX(early->most_files / 2, 1);
  if (first)
    early->next = (size_t)(first->expected - early->files);
  px_sftp_early_give_up(early, true);
}

bool px_sftp_early_take(PxSftpEarly *early, const char *path, const char *name, PxSftpAttrs *ret_attrs, PxSftpReading **ret_reading, GError **error) {
  *ret_reading = NULL;
  if (!is_begun(early, path, name))
    return true;
  while (!is_meant(early->begun.head->data, path, name))
    file_free(early, g_queue_pop_head(&early->begun), true);
  File *file = early->begun.head->data;
  PxSftp *sftp = file->sftp;
  while (file->waits)
    if (!px_sftp_turn(sftp, error))
      return false;
  if (file->is_open) {
    *ret_attrs = file->attrs;
    *ret_reading = g_steal_pointer(&file->reading);
  }
  bool fails = file->fails;
  file_free(early, g_queue_pop_head(&early->begun), true);
  if (fails)
    make_room(early);
  px_sftp_go_on(sftp);
  return true;
}
