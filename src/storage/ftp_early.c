/* SPDX-License-Identifier: Apache-2.0 */
/* Files that will be asked for, read while those before them are worked on. What a file needs besides its bytes is one answer: MLST, or MDTM where a
 * listing of a moment ago has told that it is a regular file. Its size is that of the bytes that came, which must be the one that was listed. Of a
 * file that does not go so nothing is said here: it is opened plainly when its turn comes. */
#include "storage/ftp_private.h"

#include <string.h>
#include <sys/stat.h>

#define FILES_A_HELPER 8u /* a login costs as much as some files */

typedef enum { TO_DO, IN_HAND, READ, FAILED } State;

typedef struct {
  char *path, *name, *remote;
  uint64_t size;
  State state;
  bool is_dropped; /* nobody wants it any more: who has it in hand frees it */
  PxFtpEntry entry;
  char *bytes;
} File;

struct PxFtpEarly {
  PxFtpCrew *crew;
  const PxExpected *files;
  size_t n, next; /* the first that was not begun */
  uint64_t most, bytes;
  bool has_help;
  GMutex lock; /* of what is below, and of the states of the files */
  GCond to_do, done;
  GQueue begun; /* File, in their order */
  bool ends;
};

static void file_free(File *file) {
  g_free(file->path);
  g_free(file->name);
  g_free(file->remote);
  g_free(file->bytes);
  g_free(file);
}

PxFtpEarly *px_ftp_early_new(PxFtpCrew *crew) {
  PxFtpEarly *early = g_new0(PxFtpEarly, 1);
  early->crew = crew;
  g_mutex_init(&early->lock);
  g_cond_init(&early->to_do);
  g_cond_init(&early->done);
  g_queue_init(&early->begun);
  return early;
}

void px_ftp_early_free(PxFtpEarly *early) {
  px_ftp_early_expect(early, NULL, 0, 0);
  g_mutex_clear(&early->lock);
  g_cond_clear(&early->to_do);
  g_cond_clear(&early->done);
  g_free(early);
}

/* ---- one file */

/* What it was when it was read; false: not as it was listed. */
static bool take_entry(PxFtp *ftp, File *file) {
  PxFtpEntry *entry = &file->entry;
  if (px_ftp_has_facts(ftp)) {
    PxFtpReply facts = px_ftp_find_reply(ftp, 250);
    return px_ftp_read_facts(&facts, entry) && S_ISREG(entry->mode) && entry->has_size && entry->size == file->size;
  }
  PxFtpReply time = px_ftp_find_reply(ftp, 213);
  *entry = (PxFtpEntry){.mode = S_IFREG, .size = file->size, .has_size = true};
  return px_ftp_read_time(&time, entry);
}

/* There is room for one byte more, so that a file that has grown is seen. */
static bool read_file(PxFtp *ftp, File *file) {
  size_t got = 0;
  size_t room = (size_t)file->size + 1;
  PxExchange *exchange = px_ftp_exchange(ftp);
  file->bytes = g_malloc(room);
  px_ftp_begin(ftp);
  px_ftp_add(ftp, px_ftp_has_facts(ftp) ? "MLST" : "MDTM", file->remote);
  px_ftp_request(ftp, file->remote);
  ssize_t more = px_exchange_start(exchange, NULL) ? 1 : -1;
  while (more > 0 && got < room) {
    more = px_exchange_read(exchange, file->bytes + got, room - got, NULL);
    got += (size_t)MAX(more, 0);
  }
  px_exchange_end(exchange);
  return more == 0 && got == file->size && take_entry(ftp, file);
}

/* ---- who does it */

static File *first_to_do(const PxFtpEarly *early) {
  for (const GList *at = early->begun.head; at; at = at->next)
    if (((const File *)at->data)->state == TO_DO)
      return at->data;
  return NULL;
}

/* With the lock, which is not held meanwhile. */
static bool do_file(PxFtpEarly *early, PxFtp *ftp, File *file) {
  file->state = IN_HAND;
  g_mutex_unlock(&early->lock);
  bool ok = read_file(ftp, file);
  bool alive = ok || px_ftp_is_alive(ftp);
  g_mutex_lock(&early->lock);
  file->state = ok ? READ : FAILED;
  if (file->is_dropped)
    file_free(file);
  g_cond_broadcast(&early->done);
  return alive;
}

static bool help(PxFtp *ftp, void *data) {
  PxFtpEarly *early = data;
  bool alive = true;
  g_mutex_lock(&early->lock);
  while (alive && !early->ends) {
    File *file = first_to_do(early);
    if (file)
      alive = do_file(early, ftp, file);
    else
      g_cond_wait(&early->to_do, &early->lock);
  }
  g_mutex_unlock(&early->lock);
  return alive;
}

/* ---- all of them, in the main thread */

/* With the lock. */
static void drop_first(PxFtpEarly *early) {
  File *file = g_queue_pop_head(&early->begun);
  early->bytes -= file->size;
  if (file->state == IN_HAND)
    file->is_dropped = true;
  else
    file_free(file);
}

static void send_home(PxFtpEarly *early) {
  g_mutex_lock(&early->lock);
  early->ends = true;
  g_cond_broadcast(&early->to_do);
  g_mutex_unlock(&early->lock);
  px_ftp_crew_join(early->crew, true);
  early->ends = early->has_help = false;
}

void px_ftp_early_expect(PxFtpEarly *early, const PxExpected *files, size_t n, uint64_t most) {
  g_mutex_lock(&early->lock);
  while (early->begun.length > 0)
    drop_first(early);
  g_mutex_unlock(&early->lock);
  early->files = files;
  early->n = n;
  early->next = 0;
  early->most = most;
  if (n > 0)
    return;
  if (early->has_help)
    send_home(early);
  px_ftp_crew_hang_up(early->crew);
}

static bool has_room_for(const PxFtpEarly *early, const PxExpected *expected) {
  return early->begun.length == 0 || (early->begun.length < PX_MOST_EARLY && early->bytes + expected->size <= early->most);
}

const char *px_ftp_early_wants(PxFtpEarly *early) {
  bool has_room = early->begun.length <= PX_MOST_EARLY / 2 && early->bytes <= early->most / 2;
  while (early->next < early->n && early->files[early->next].size > PX_MOST_EARLY_BYTES_OF_ONE)
    early->next++;
  return has_room && early->next < early->n && has_room_for(early, &early->files[early->next]) ? early->files[early->next].path : NULL;
}

static void add_file(PxFtpEarly *early, const PxFtpTree *tree, const PxExpected *expected) {
  File *file = g_new0(File, 1);
  *file = (File){.path = g_strdup(expected->path), .name = g_strdup(expected->name), .size = expected->size};
  file->remote = px_ftp_tree_remote(tree, expected->path, expected->name);
  early->bytes += file->size;
  g_mutex_lock(&early->lock);
  g_queue_push_tail(&early->begun, file);
  g_mutex_unlock(&early->lock);
}

void px_ftp_early_begin(PxFtpEarly *early, PxFtpTree *tree, bool is_there) {
  const char *path = early->files[early->next].path;
  for (; early->next < early->n && strcmp(early->files[early->next].path, path) == 0; early->next++) {
    const PxExpected *expected = &early->files[early->next];
    if (!is_there || expected->size > PX_MOST_EARLY_BYTES_OF_ONE || !px_ftp_tree_is_file(tree, path, expected->name))
      continue;
    if (!has_room_for(early, expected))
      break;
    add_file(early, tree, expected);
  }
  g_cond_broadcast(&early->to_do);
}

void px_ftp_early_get_help(PxFtpEarly *early, const PxFtp *first, unsigned most) {
  unsigned n = MIN(most, early->begun.length / FILES_A_HELPER);
  if (!early->has_help && n > 0)
    early->has_help = px_ftp_crew_start(early->crew, first, n, help, early);
}

static bool is_meant(const File *file, const char *path, const char *name) {
  return strcmp(file->name, name) == 0 && strcmp(file->path, path) == 0;
}

static bool is_begun(const PxFtpEarly *early, const char *path, const char *name) {
  for (const GList *at = early->begun.head; at; at = at->next)
    if (is_meant(at->data, path, name))
      return true;
  return false;
}

/* With the lock. While others have it in hand there may be another to be done. */
static void finish(PxFtpEarly *early, PxFtp *ftp, File *file) {
  bool alive = true;
  while (file->state == TO_DO || file->state == IN_HAND) {
    File *next = alive || file->state == TO_DO ? first_to_do(early) : NULL;
    if (next)
      alive = do_file(early, ftp, next);
    else
      g_cond_wait(&early->done, &early->lock);
  }
}

char *px_ftp_early_take(PxFtpEarly *early, PxFtp *ftp, const char *path, const char *name, PxFtpEntry *ret_entry) {
  char *bytes = NULL;
  if (!is_begun(early, path, name))
    return NULL;
  g_mutex_lock(&early->lock);
  while (!is_meant(early->begun.head->data, path, name))
    drop_first(early);
  File *file = early->begun.head->data;
  finish(early, ftp, file);
  if (file->state == READ) {
    bytes = g_steal_pointer(&file->bytes);
    *ret_entry = file->entry;
  }
  drop_first(early);
  g_mutex_unlock(&early->lock);
  return bytes;
}
