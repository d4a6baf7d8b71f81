/* SPDX-License-Identifier: Apache-2.0 */
/* Several files that are written at once, each by whichever connection has time. What is not plainly so that a file can be put is left undecided with
 * nothing of it there: it is put by itself then, and what is wrong is told. */
#include "base/hook.h"
#include "storage/ftp_private.h"
#include "storage/name_private.h"

#include <sys/stat.h>

#define FILES_A_HELPER 4u /* a login costs as much as a file */

typedef struct {
  PxPutting *putting;
  char *written, *target;
  bool is_left; /* what was written may be there under its temporary name */
} File;

typedef struct {
  File *files;
  size_t n;
  GMutex lock; /* of what is below */
  size_t next;
  bool looks_first; /* names are taken: there is no use in sending what will not have its name */
  bool keeps;       /* the server does not rename over a file */
} Files;

static void note(Files *files, bool *flag) {
  g_mutex_lock(&files->lock);
  *flag = true;
  g_mutex_unlock(&files->lock);
}

static bool is_noted(Files *files, const bool *flag) {
  g_mutex_lock(&files->lock);
  bool noted = *flag;
  g_mutex_unlock(&files->lock);
  return noted;
}

static File *take_next(Files *files) {
  g_mutex_lock(&files->lock);
  File *file = files->next < files->n ? &files->files[files->next++] : NULL;
  g_mutex_unlock(&files->lock);
  return file;
}

/* ---- one file */

static void add_look(PxFtp *ftp, const File *file) {
  px_ftp_add(ftp, px_ftp_has_facts(ftp) ? "MLST" : "SIZE", file->target);
}

/* By the answer to the look: nothing is there, or something of another size that is to be replaced. */
static bool may_take_name(Files *files, const PxFtp *ftp, const PxFtpReply *look, const PxPut *put) {
  PxFtpEntry entry = {.mode = S_IFREG};
  bool is_there = px_ftp_has_facts(ftp) ? px_ftp_read_facts(look, &entry) : (entry.has_size = px_ftp_read_size(look, &entry.size));
  bool is_other = is_there && S_ISREG(entry.mode) && entry.has_size && entry.size != put->size;
  if (!is_there && look->code == 550)
    return true;
  if (is_other && put->replace && !is_noted(files, &files->keeps))
    return true;
  note(files, &files->looks_first);
  return false;
}

static bool look_first(Files *files, PxFtp *ftp, const File *file, bool *ret_may) {
  px_ftp_begin(ftp);
  px_ftp_add(ftp, "TYPE", "I");
  add_look(ftp, file);
  if (!px_ftp_send(ftp, NULL))
    return false;
  PxFtpReply look = px_ftp_reply(ftp, 1);
  *ret_may = may_take_name(files, ftp, &look, &file->putting->put);
  return true;
}

static bool has_more(const PxPut *put) {
  char byte;
  return pread(put->fd, &byte, 1, (off_t)put->size) > 0;
}

static bool write_file(PxFtp *ftp, File *file) {
  file->is_left = true;
  px_ftp_begin(ftp);
  px_ftp_request(ftp, file->written);
  px_exchange_upload(px_ftp_exchange(ftp), file->putting->put.fd, 0, file->putting->put.size);
  return px_exchange_perform(px_ftp_exchange(ftp), NULL, 0, NULL);
}

/* Its size, and right before the rename what is at its name: it may be that nothing else keeps that from being replaced. */
static bool check(Files *files, PxFtp *ftp, const File *file, bool *ret_may) {
  const PxPut *put = &file->putting->put;
  uint64_t size = put->size;
  px_ftp_begin(ftp);
  px_ftp_add(ftp, "SIZE", file->written);
  add_look(ftp, file);
  if (!px_ftp_send(ftp, NULL))
    return false;
  PxFtpReply told = px_ftp_reply(ftp, 0);
  PxFtpReply look = px_ftp_reply(ftp, 1);
  *ret_may = (!px_ftp_read_size(&told, &size) || size == put->size) && may_take_name(files, ftp, &look, put);
  return true;
}

static bool give_name(Files *files, PxFtp *ftp, File *file) {
  px_ftp_begin(ftp);
  px_ftp_add(ftp, "RNFR", file->written);
  px_ftp_add(ftp, "RNTO", file->target);
  if (!px_ftp_send(ftp, NULL))
    return false;
  PxFtpReply begun = px_ftp_reply(ftp, 0);
  PxFtpReply ended = px_ftp_reply(ftp, 1);
  file->putting->decided = begun.code == 350 && px_ftp_is_yes(&ended);
  if (!file->putting->decided && file->putting->put.replace)
    note(files, &files->keeps);
  return true;
}

/* false: the connection is not to be had any more. */
static bool put_file(Files *files, PxFtp *ftp, File *file) {
  bool may = true;
  if (has_more(&file->putting->put))
    return true;
  if (is_noted(files, &files->looks_first) && !look_first(files, ftp, file, &may))
    return false;
  if (!may)
    return true;
  if (!write_file(ftp, file))
    return px_ftp_is_alive(ftp);
  px_hook("storage.put.written");
  if (!check(files, ftp, file, &may) || (may && !give_name(files, ftp, file)))
    return false;
  px_hook("storage.put.renamed");
  return true;
}

static bool put_files(PxFtp *ftp, void *data) {
  Files *files = data;
  bool alive = true;
  for (File *file; alive && (file = take_next(files));)
    alive = put_file(files, ftp, file);
  return alive;
}

/* ---- all of them */

static void begin_file(File *file, const PxFtpTree *tree, PxPutting *putting, const char *temporary) {
  const PxPut *put = &putting->put;
  *file = (File){.putting = putting};
  file->written = px_ftp_tree_remote(tree, put->path, temporary);
  file->target = px_ftp_tree_remote(tree, put->path, put->name);
}

static void remove_left(PxFtp *ftp, const Files *files) {
  bool alive = true;
  for (size_t i = 0; i < files->n && alive; i++) {
    const File *file = &files->files[i];
    if (!file->is_left || file->putting->decided)
      continue;
    px_ftp_begin(ftp);
    px_ftp_add(ftp, "DELE", file->written);
    alive = px_ftp_send(ftp, NULL);
  }
}

void px_ftp_put_all(PxFtp *first, const PxFtpTree *tree, PxFtpCrew *crew, unsigned most_helpers, PxPutting *const *puttings, size_t n) {
  g_autofree File *all = g_new0(File, n);
  Files files = {.files = all};
  for (size_t i = 0; i < n; i++) {
    g_autofree char *temporary = NULL;
    if (px_name_temporary(puttings[i]->put.tmp_suffix, &temporary, NULL))
      begin_file(&all[files.n++], tree, puttings[i], temporary);
  }
  g_mutex_init(&files.lock);
  bool has_help = px_ftp_crew_start(crew, first, MIN(most_helpers, (unsigned)files.n / FILES_A_HELPER), put_files, &files);
  (void)put_files(first, &files);
  if (has_help)
    px_ftp_crew_join(crew, false);
  g_mutex_clear(&files.lock);
  remove_left(first, &files);
  for (size_t i = 0; i < files.n; i++) {
    g_free(all[i].written);
    g_free(all[i].target);
  }
}
