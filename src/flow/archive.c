/* SPDX-License-Identifier: Apache-2.0 */
/* What is in archives and encrypted files. Of one that was fetched each file in it becomes an attachment with a job of its own, so that its rows, its
 * bad rows and its receipt are those of any other file. All of them come in the transaction that ends the archive's own import. */
#include "flow/flow_private.h"

#include "base/file.h"
#include "base/hook.h"
#include "format/pack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* How deep an attachment lies in others: 0: it was fetched, 1: it was in that one, 2: in a file that was in that one. */
static bool depth_of(const PxImport *import, unsigned *ret_depth, GError **error) {
  *ret_depth = 0;
  if (!import->attachment->parent_id)
    return true;
  g_autoptr(PxAttachment) parent = px_attachment_get(import->work->project->db, import->attachment->parent_id, error);
  if (!parent)
    return false;
  *ret_depth = parent->parent_id ? 2 : 1;
  return true;
}

/* What is encrypted is what was fetched; what was in it may be an archive. */
bool px_import_look(PxImport *import, GError **error) {
  const PxAttachment *attachment = import->attachment;
  const PxTask *task = attachment->task ? px_tasks_get(import->work->project->tasks, attachment->task) : NULL;
  unsigned depth;
  import->wrapping = PX_WRAPPED_NOT;
  if (!task)
    return true;
  if (!depth_of(import, &depth, error))
    return false;
  if (task->decrypt && depth == 0)
    import->wrapping = PX_WRAPPED_OPENPGP;
  else if (task->archives && depth == task->decrypt && px_pack_of_name(attachment->name) != PX_PACK_NONE)
    import->wrapping = PX_WRAPPED_ARCHIVE;
  return true;
}

static bool refuse(PxImport *import, const char *why, GError **error) {
  const PxMessage message = {.type = "file", .message = why};
  import->messages = g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
  g_ptr_array_add(import->messages, px_message_copy(&message));
  if (!px_import_refuse(import, error))
    return false;
  import->work->summary = px_summary_new(import->file);
  return true;
}

/* ---- what is in it */

bool px_opened_copy(int from, int to, uint64_t size, GError **error) {
  char buffer[65536];
  for (uint64_t left = size; left > 0;) {
    ssize_t n = read(from, buffer, MIN(left, sizeof(buffer)));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "what was in the archive cannot be read: %s", n < 0 ? g_strerror(errno) : "bytes are missing");
      return false;
    }
    if (!px_write_all(to, buffer, (size_t)n, "what is in the archive", error))
      return false;
    left -= (uint64_t)n;
  }
  return true;
}

static PxAttachment *store_member(const PxImport *import, const PxUnpacked *member, int from, GError **error) {
  const PxAttachment *archive = import->attachment;
  PxBlob blob;
  int fd;
  g_autoptr(PxNewBlob) new_blob = px_filestore_begin(import->work->project->filestore, &fd, error);
  if (!new_blob || !px_opened_copy(from, fd, member->size, error) || !px_filestore_commit(g_steal_pointer(&new_blob), &blob, error))
    return NULL;
  PxAttachment *attachment = px_attachment_new(PX_DIRECTION_IMPORT, member->name);
  attachment->task = g_strdup(archive->task);
  attachment->pattern = g_strdup(archive->pattern);
  attachment->storage = g_strdup(archive->storage);
  attachment->path = g_strdup(archive->path);
  attachment->parent_id = archive->id;
  attachment->sha256 = g_strdup(blob.sha256);
  attachment->size = blob.size;
  return attachment;
}

/* The one file that fd is, as px_unpack() gives those of an archive. */
static GArray *only_member(int fd, const char *name) {
  off_t size = lseek(fd, 0, SEEK_END);
  const PxUnpacked member = {.name = g_strdup(name), .size = size > 0 ? (uint64_t)size : 0};
  GArray *members = px_unpacked_new();
  g_array_append_val(members, member);
  return members;
}

static GArray *decrypt(const PxOpenPgp *keys, int from, const char *name, uint64_t most, char *const *signed_by, int to, GError **error) {
  g_autofree char *plain = px_openpgp_plain_name(name);
  return px_openpgp_decrypt(keys, from, to, most, signed_by, error) ? only_member(to, plain) : NULL;
}

static GArray *take_out(const PxImport *import, int to, GError **error) {
  const PxTask *task = px_tasks_get(import->work->project->tasks, import->attachment->task);
  const PxFormatOptions *limits = &import->pattern->format;
  const char *name = import->attachment->name;
  return import->wrapping == PX_WRAPPED_OPENPGP ? decrypt(task->openpgp, import->blob, name, limits->max_member_bytes, task->signed_by, to, error)
                                                : px_unpack(import->blob, name, limits, to, error);
}

/* PxAttachment *, freed with the array. */
static GPtrArray *store_members(const PxImport *import, GError **error) {
  int spill = px_temporary_file(error);
  if (spill < 0)
    return NULL;
  g_autoptr(GPtrArray) stored = g_ptr_array_new_with_free_func(px_free_attachment_row);
  g_autoptr(GArray) members = take_out(import, spill, error);
  bool ok = members && lseek(spill, 0, SEEK_SET) == 0;
  for (guint i = 0; ok && i < members->len; i++) {
    PxAttachment *attachment = store_member(import, &g_array_index(members, PxUnpacked, i), spill, error);
    ok = attachment != NULL;
    if (ok)
      g_ptr_array_add(stored, attachment);
  }
  (void)close(spill);
  return ok ? g_steal_pointer(&stored) : NULL;
}

/* ---- the step */

static bool add_members(const PxImport *import, const GPtrArray *members, GError **error) {
  PxProject *project = import->work->project;
  int64_t now = px_project_now(project);
  return px_attachments_add(project->db, (PxAttachment *const *)members->pdata, members->len, now, error) &&
         px_work_enqueue_attachments(project, members, now, error);
}

bool px_import_unwrap(PxImport *import, GError **error) {
  PxWork *work = import->work;
  g_autoptr(GError) problem = NULL;
  px_work_doing(work, "opening %s", import->attachment->name);
  g_autoptr(GPtrArray) members = store_members(import, &problem);
  if (!members && g_error_matches(problem, PX_ERROR, PX_ERROR_REFUSED))
    return refuse(import, problem->message, error);
  if (!members) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  px_hook("archive-stored");
  import->file->bytes_done = import->file->bytes_total;
  if (!px_work_begin(work, error))
    return false;
  bool ok = add_members(import, members, error) && px_import_end(import, PX_STATE_DONE, error);
  if (!px_transaction_end(work->project->db, ok, error))
    return false;
  px_hook("archive-committed");
  work->summary = px_summary_new(import->file);
  work->summary->members = members->len;
  return true;
}

/* ---- by hand */

void px_opened_clear(PxOpened *opened) {
  g_clear_pointer(&opened->members, g_array_unref);
  if (opened->fd >= 0)
    (void)close(opened->fd);
  opened->fd = -1;
}

static PxOpened steal(PxOpened *opened) {
  PxOpened taken = *opened;
  *opened = (PxOpened){.fd = -1};
  return taken;
}

/* What was opened so far is taken apart once more; what it lay in is closed. */
static bool open_once(PxOpened *opened, const PxOpenPgp *keys, char *const *signed_by, const PxFormatOptions *limits, const char *name,
                      GError **error) {
  g_auto(PxOpened) inner = {.fd = px_temporary_file(error), .was_packed = true};
  if (inner.fd < 0)
    return false;
  inner.is_archive = !keys && px_pack_of_name(name) == PX_PACK_ZIP;
  inner.members = keys ? decrypt(keys, opened->fd, name, limits->max_member_bytes, signed_by, inner.fd, error)
                       : px_unpack(opened->fd, name, limits, inner.fd, error);
  if (!inner.members) {
    g_prefix_error(error, "%s: ", name);
    return false;
  }
  px_opened_clear(opened);
  *opened = steal(&inner);
  return true;
}

bool px_open_by_hand(const PxProject *project, const PxFormatOptions *limits, const char *name, char *const *signed_by, PxOpened *opened,
                     GError **error) {
  g_autofree char *plain = px_openpgp_plain_name(name);
  bool is_encrypted = strcmp(plain, name) != 0;
  if (signed_by && !is_encrypted) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: it is not signed: its name does not end in .gpg, .pgp or .asc", name);
    return false;
  }
  opened->members = only_member(opened->fd, name);
  return (!is_encrypted || open_once(opened, px_tasks_openpgp(project->tasks), signed_by, limits, name, error)) &&
         (px_pack_of_name(plain) == PX_PACK_NONE || open_once(opened, NULL, NULL, limits, plain, error)) && lseek(opened->fd, 0, SEEK_SET) == 0;
}
