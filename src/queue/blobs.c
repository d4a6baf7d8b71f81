/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/blobs.h"

#include "base/file.h"
#include "base/hook.h"
#include "queue/blobs_private.h"
#include "queue/queue_private.h"

#include <errno.h>
#include <unistd.h>

#define PIECE ((size_t)256 * 1024)

/* ---- in */

/* Fills the buffer unless the file ends before; -1 with an error. */
static ssize_t read_piece(int fd, char *buffer, GError **error) {
  size_t len = 0;
  while (len < PIECE) {
    ssize_t n = read(fd, buffer + len, PIECE - len);
    if (n == 0)
      break;
    if (n < 0 && errno != EINTR) {
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read a temporary file: %s", g_strerror(errno));
      return -1;
    }
    len += n > 0 ? (size_t)n : 0;
  }
  return (ssize_t)len;
}

static bool put_pieces(PxDb *db, int64_t id, int fd, GError **error) {
  g_autofree char *buffer = g_malloc(PIECE);
  ssize_t len;
  (void)lseek(fd, 0, SEEK_SET);
  for (int64_t n = 0; (len = read_piece(fd, buffer, error)) > 0; n++) {
    PxBinder binder;
    if (!px_queue_statement(db, "blob_piece_add", &binder, error))
      return false;
    px_bind_integer(&binder, id);
    px_bind_integer(&binder, n);
    PxValue bytes = px_value_blob(buffer, (size_t)len);
    px_stmt_bind(binder.stmt, binder.next, &bytes);
    if (!px_run_bound(&binder, error))
      return false;
  }
  return len == 0;
}

/* Another one may put or remove the same bytes meanwhile. */
static bool put_one(PxDb *db, const char *name, int fd, GError **error) {
  off_t size = lseek(fd, 0, SEEK_END);
  for (;;) {
    PxBinder binder;
    bool there = false;
    int64_t id = 0;
    if (!px_blob_touch(db, name, g_get_real_time(), &there, error) || there)
      return there;
    if (!px_queue_statement(db, "blob_add", &binder, error))
      return false;
    px_bind_text(&binder, name);
    px_bind_integer(&binder, size);
    px_bind_integer(&binder, g_get_real_time());
    if (!px_run_for_id(&binder, &id, error))
      return false;
    if (id)
      return put_pieces(db, id, fd, error);
  }
}

static bool put_all(PxDb *db, const char *const *names, const int *fds, size_t n, GError **error) {
  for (size_t i = 0; i < n; i++)
    if (!put_one(db, names[i], fds[i], error))
      return false;
  return true;
}

static bool put(void *data, const char *const *names, const int *fds, size_t n, GError **error) {
  PxDb *db = data;
  if (px_db_in_transaction(db))
    return put_all(db, names, fds, n, error);
  if (!px_db_begin(db, PX_TX_WRITE, error))
    return false;
  if (put_all(db, names, fds, n, error) && px_db_commit(db, error)) {
    px_hook("filestore.kept");
    return true;
  }
  px_db_rollback(db);
  return false;
}

/* ---- out */

/* *ret_len 0: there is no such piece. */
static bool get_piece(PxDb *db, int64_t id, int64_t n, int to, uint64_t *ret_len, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "blob_piece", &binder, error))
    return false;
  px_bind_integer(&binder, id);
  px_bind_integer(&binder, n);
  PxStep step = px_stmt_step(binder.stmt, error);
  *ret_len = 0;
  if (step != PX_STEP_ROW)
    return step == PX_STEP_DONE;
  PxValue bytes = px_stmt_value(binder.stmt, 0);
  bool written = px_write_all(to, bytes.text, bytes.len, "a temporary file (TMPDIR has it)", error);
  *ret_len = bytes.len;
  px_stmt_reset(binder.stmt);
  return written;
}

static bool get(void *data, const char *name, int to, GError **error) {
  PxDb *db = data;
  PxBlobRow row;
  if (!px_blob_find(db, name, &row, error))
    return false;
  uint64_t len = row.id != 0;
  uint64_t got = 0;
  for (int64_t n = 0; len > 0 && got < row.size; n++, got += len)
    if (!get_piece(db, row.id, n, to, &len, error))
      return false;
  if (row.id && got == row.size)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "filestore in the database: %s is gone: give the file again, or bring it back from a backup",
              name);
  return false;
}

/* ---- what is there */

static GPtrArray *old(void *data, const char *prefix, const char *behind, int64_t before, GError **error) {
  return px_blob_old(data, prefix, behind, before, error);
}

static bool remove_bytes(void *data, const char *name, int64_t before, GError **error) {
  return px_blob_remove(data, name, before, NULL, NULL, error);
}

const PxByteKeeper px_blob_keeper = {.put = put, .get = get, .old = old, .remove = remove_bytes};
