/* SPDX-License-Identifier: Apache-2.0 */
/* Several files that are written at once: what each needs is sent as soon as the answer before it is there, so that only the server is waited for;
 * and where there are many, over several connections. */
#include "base/hook.h"
#include "base/thread.h"
#include "storage/bytes_private.h"
#include "storage/sftp_private.h"

#include <sys/stat.h>

/* One of them. Answers that are to come find it. */
typedef struct {
  PxSftp *sftp;
  PxPace *pace;
  PxSftpSending *sending; /* NULL: none yet */
  unsigned waiting;       /* answers; 0: there is nothing more to be done with it */
  bool bad;               /* it cannot be put so */
} File;

static const PxPut *put_of(const File *file) {
  return &file->sending->putting->put;
}

static void await(File *file, uint32_t id, PxSftpTake take) {
  px_sftp_route(file->sftp, id, take, file);
  file->waiting++;
}

/* A status; whatever went wrong, the file is put by itself then, and it is told. */
static bool take_status(File *file, const PxSftpReply *reply, GError **error) {
  file->waiting--;
  file->bad |= reply->status != PX_SFTP_OK;
  return reply->type == PX_SFTP_STATUS || px_sftp_broken(file->sftp, error);
}

/* Attributes; *ret_there false: there was a status. */
static bool take_attrs(File *file, PxSftpReply *reply, PxSftpAttrs *ret, bool *ret_there, GError **error) {
  file->waiting--;
  *ret_there = reply->type == PX_SFTP_ATTRS;
  if (!*ret_there)
    return (reply->type == PX_SFTP_STATUS && reply->status != PX_SFTP_OK) || px_sftp_broken(file->sftp, error);
  return px_sftp_take_attrs(reply, ret) || px_sftp_broken(file->sftp, error);
}

/* ---- the last step: its name */

static bool take_removed(void *data, PxSftpReply *reply, GError **error) {
  return take_status(data, reply, error);
}

static void remove_written(File *file) {
  await(file, px_sftp_send_paths(file->sftp, PX_SFTP_REMOVE, file->sending->written, NULL), take_removed);
}

static bool take_renamed(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  if (!take_status(file, reply, error))
    return false;
  px_hook("storage.put.renamed");
  file->sending->putting->decided = !file->bad;
  if (file->bad)
    remove_written(file);
  return true;
}

/* When the last answer about what was written is there. */
static void end_writing(File *file) {
  const PxSftpSending *sending = file->sending;
  if (file->waiting > 0)
    return;
  if (file->bad) {
    remove_written(file);
    return;
  }
  px_hook("storage.put.written");
  bool over = put_of(file)->replace && px_sftp_has(file->sftp, PX_SFTP_POSIX_RENAME);
  uint32_t id = over ? px_sftp_send_posix_rename(file->sftp, sending->written, sending->target)
                     : px_sftp_send_paths(file->sftp, PX_SFTP_RENAME, sending->written, sending->target);
  await(file, id, take_renamed);
}

/* ---- its bytes */

static bool take_done(void *data, PxSftpReply *reply, GError **error) {
  if (!take_status(data, reply, error))
    return false;
  end_writing(data);
  return true;
}

static bool take_size(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  PxSftpAttrs attrs = {0};
  bool is_told;
  if (!take_attrs(file, reply, &attrs, &is_told, error))
    return false;
  file->bad |= is_told && attrs.size != put_of(file)->size;
  file->sending->mtime = attrs.mtime;
  end_writing(file);
  return true;
}

/* What is at the target once more, right before the rename: it may be that nothing else keeps that from replacing it. */
static bool take_target(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  PxSftpAttrs attrs = {0};
  bool is_there;
  if (!take_attrs(file, reply, &attrs, &is_there, error))
    return false;
  file->bad |= is_there && (!put_of(file)->replace || S_ISDIR(attrs.mode));
  end_writing(file);
  return true;
}

/* All of them, and that these are all. */
static bool send_bytes(File *file, const PxSftpHandle *handle) {
  PxPacedFd from = {put_of(file)->fd, file->pace};
  size_t most = px_sftp_most_written(file->sftp);
  g_autofree unsigned char *piece = g_malloc(most);
  uint64_t done = 0;
  if (lseek(from.fd, 0, SEEK_SET) < 0)
    return false;
  for (ssize_t got; (got = px_bytes_pull_paced(&from, piece, most, NULL)) != 0; done += (uint64_t)got) {
    if (got < 0 || (uint64_t)got > put_of(file)->size - done)
      return false;
    await(file, px_sftp_send_write(file->sftp, handle, done, piece, (size_t)got), take_done);
  }
  return done == put_of(file)->size;
}

static bool take_handle(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  PxSftp *sftp = file->sftp;
  PxSftpHandle handle;
  file->waiting--;
  if (reply->type == PX_SFTP_STATUS)
    return reply->status != PX_SFTP_OK || px_sftp_broken(sftp, error);
  if (reply->type != PX_SFTP_HANDLE || !px_sftp_take_handle(reply, &handle))
    return px_sftp_broken(sftp, error);
  file->bad = !send_bytes(file, &handle);
  if (px_sftp_has(sftp, PX_SFTP_FSYNC) && !file->bad)
    await(file, px_sftp_send_sync(sftp, &handle), take_done);
  await(file, px_sftp_send_handle(sftp, PX_SFTP_FSTAT, &handle), take_size);
  await(file, px_sftp_send_handle(sftp, PX_SFTP_CLOSE, &handle), take_done);
  await(file, px_sftp_send_paths(sftp, PX_SFTP_LSTAT, file->sending->target, NULL), take_target);
  return true;
}

/* ---- the first: what is at the target now */

static bool take_look(void *data, PxSftpReply *reply, GError **error) {
  File *file = data;
  PxSftpAttrs attrs = {0};
  bool is_there;
  if (!take_attrs(file, reply, &attrs, &is_there, error))
    return false;
  bool is_free = !is_there && reply->status == PX_SFTP_NO_SUCH_FILE;
  bool is_other =
    is_there && put_of(file)->replace && px_sftp_has(file->sftp, PX_SFTP_POSIX_RENAME) && S_ISREG(attrs.mode) && attrs.size != put_of(file)->size;
  if (is_free || is_other)
    await(file, px_sftp_send_open(file->sftp, file->sending->written, PX_SFTP_FOR_WRITE | PX_SFTP_CREATE | PX_SFTP_EXCLUSIVE), take_handle);
  return true;
}

/* ---- all of them */

#define AT_ONCE 32u /* of a connection: each has a handle */
#define MANY 64u    /* files that a further connection is worth while for */
#define FEW 8u      /* files for each connection that is there */

/* Those that nobody has begun. */
typedef struct {
  PxPace *pace;
  PxSftpSending *sendings;
  size_t n;
  GMutex lock;
  size_t next;
} Pile;

static PxSftpSending *take(Pile *pile) {
  g_mutex_lock(&pile->lock);
  PxSftpSending *taken = pile->next < pile->n ? &pile->sendings[pile->next++] : NULL;
  g_mutex_unlock(&pile->lock);
  return taken;
}

/* Whether there is one that is not through. */
static bool fill_up(File *files, PxSftp *sftp, Pile *pile) {
  bool busy = false;
  for (size_t i = 0; i < AT_ONCE; i++) {
    PxSftpSending *next = files[i].waiting ? NULL : take(pile);
    if (next) {
      files[i] = (File){.sftp = sftp, .pace = pile->pace, .sending = next};
      await(&files[i], px_sftp_send_paths(sftp, PX_SFTP_LSTAT, next->target, NULL), take_look);
    }
    busy |= files[i].waiting > 0;
  }
  return busy;
}

/* The connection is lost: nobody knows what became of those that are not through. */
static void give_up(File *files, PxSftp *sftp, const GError *told) {
  for (size_t i = 0; i < AT_ONCE; i++) {
    if (files[i].waiting == 0)
      continue;
    px_sftp_forget_all(sftp, &files[i]);
    files[i].sending->putting->decided = told != NULL;
    files[i].sending->putting->error = told ? g_error_copy(told) : NULL;
  }
}

/* Until nobody has more to begin. tells: a lost connection is the outcome of what it had begun, else that is undecided. */
static bool put_over(PxSftp *sftp, Pile *pile, bool tells) {
  File files[AT_ONCE] = {0};
  g_autoptr(GError) problem = NULL;
  while (!problem && fill_up(files, sftp, pile))
    (void)!px_sftp_turn(sftp, &problem);
  if (problem)
    give_up(files, sftp, tells ? problem : NULL);
  return !problem;
}

/* ---- over several connections */

/* One of them, in a thread of its own. */
typedef struct {
  const PxSshSettings *settings;
  PxSftp *sftp; /* NULL: not open */
  Pile *pile;
  GThread *thread; /* NULL: it does nothing now */
} Hand;

struct PxSftpMore {
  Hand *hands;
  unsigned n;
};

PxSftpMore *px_sftp_more_new(const PxSshSettings *settings, unsigned most) {
  PxSftpMore *more = g_new(PxSftpMore, 1);
  *more = (PxSftpMore){.hands = g_new0(Hand, most), .n = most};
  for (unsigned i = 0; i < most; i++)
    more->hands[i].settings = settings;
  return more;
}

void px_sftp_more_free(PxSftpMore *more) {
  for (unsigned i = 0; i < more->n; i++)
    px_sftp_close(more->hands[i].sftp);
  g_free(more->hands);
  g_free(more);
}

static void *lend(void *data) {
  Hand *hand = data;
  if (!hand->sftp)
    hand->sftp = px_sftp_open(hand->settings, NULL);
  if (hand->sftp && !put_over(hand->sftp, hand->pile, false))
    g_clear_pointer(&hand->sftp, px_sftp_close);
  return NULL;
}

/* A server that gives no further connection now is not asked again: those that are there are enough. */
static void start(PxSftpMore *more, Pile *pile) {
  for (unsigned i = 0; i < more->n; i++) {
    Hand *hand = &more->hands[i];
    if (hand->sftp && !px_sftp_is_of_use(hand->sftp))
      g_clear_pointer(&hand->sftp, px_sftp_close);
    if (pile->n < (hand->sftp ? FEW * (i + 2) : MANY))
      continue;
    hand->pile = pile;
    hand->thread = px_thread_start("sftp put", lend, hand);
  }
}

static void end(PxSftpMore *more) {
  unsigned n = more->n;
  for (unsigned i = 0; i < n; i++) {
    Hand *hand = &more->hands[i];
    if (!hand->thread)
      continue;
    g_thread_join(g_steal_pointer(&hand->thread));
    if (!hand->sftp)
      more->n = MIN(more->n, i);
  }
  for (unsigned i = more->n; i < n; i++)
    g_clear_pointer(&more->hands[i].sftp, px_sftp_close);
}

void px_sftp_put_all(PxSftp *sftp, PxSftpMore *more, PxPace *pace, PxSftpSending *sendings, size_t n) {
  Pile pile = {.pace = pace, .sendings = sendings, .n = n};
  g_mutex_init(&pile.lock);
  if (!pace->limit)
    start(more, &pile);
  (void)put_over(sftp, &pile, true);
  end(more);
  g_mutex_clear(&pile.lock);
}
