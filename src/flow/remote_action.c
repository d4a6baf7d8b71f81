/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a remote file after its fetch was committed (design section 3).
 *
 *   pending   rename to .pattimpex-N beside it, compare with what was read
 *   taken     it is what was read, and has that name: now move, rename or delete it
 *   done
 *
 * A kill between two of these leaves the file under one of its names, and the next run goes on from there.
 */
#include "flow/flow_private.h"

#include "base/hook.h"

#include <unistd.h>

#define MAX_CHANGES 3 /* a file that is written to again and again is left for the next run */

typedef struct {
  PxWork *work;
  PxStorage *storage;
  const PxTask *task;
  PxAttachment *attachment;
} Action;

/* How far several of them have come, in one transaction. */
static bool store_all(const PxWork *work, PxRemoteAction reached, PxAttachment *const *attachments, guint n, GError **error) {
  const PxProject *project = work->project;
  if (n == 0)
    return true;
  if (!px_work_begin(work, error))
    return false;
  for (guint i = 0; i < n; i++)
    attachments[i]->remote_action = reached;
  bool done = px_transaction_end(project->db, px_attachments_store_remote(project->db, attachments, n, px_project_now(project), error), error);
  px_hook(reached == PX_REMOTE_TAKEN ? "remote-taken" : "remote-done");
  return done;
}

static bool store(const Action *action, PxRemoteAction reached, GError **error) {
  return store_all(action->work, reached, &action->attachment, 1, error);
}

/* ---- the ready file: held before the file itself, so that the next one of the same name needs a new one */

static char *held_ready_name(const char *held) {
  return g_strconcat(held, "-ready", NULL);
}

/* A ready file that is not there was held before a kill, or the task has none any more for a file like this. */
static bool hold_ready(const Action *action, const char *held, GError **error) {
  const char *path = action->attachment->path;
  g_autofree char *ready = px_task_ready_name(action->task, action->attachment->name);
  g_autofree char *to = held_ready_name(held);
  g_autoptr(GError) problem = NULL;
  if (!ready)
    return true;
  bool ok = px_storage_move(action->storage, path, ready, path, to, &problem);
  px_hook("remote-ready-held");
  if (ok || g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND) || g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS))
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

/* It goes where its file went, with the same name but for what makes it one, and is removed with it. */
static bool put_ready_away(const Action *action, GError **error) {
  const PxAttachment *attachment = action->attachment;
  const char *held_name = attachment->remote_held;
  if (!action->task->ready_file || !held_name)
    return true;
  g_autofree char *held = held_ready_name(held_name);
  g_autofree char *last = attachment->moved_to ? g_path_get_basename(attachment->moved_to) : NULL;
  g_autofree char *ready = px_task_ready_name(action->task, last ? last : attachment->name);
  bool moves = action->task->after_import == PX_AFTER_MOVE || action->task->after_import == PX_AFTER_MOVE_RENAME;
  g_autofree char *to = moves ? px_task_beneath(action->task, action->task->move_path, attachment->path) : g_strdup(attachment->path);
  g_autoptr(GError) problem = NULL;
  bool ok = action->task->after_import == PX_AFTER_DELETE || !ready
              ? px_storage_remove(action->storage, attachment->path, held, &problem)
              : px_storage_move_numbered(action->storage, attachment->path, held, to, ready, NULL, &problem);
  px_hook("remote-ready-put-away");
  if (ok || g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND))
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

/* A file that may not be touched (another user's, a folder without the right to write) is no storage out of reach. */
static bool is_of_the_file(const Action *action, const GError *problem) {
  static const PxError of_the_file[] = {PX_ERROR_NOT_FOUND, PX_ERROR_EXISTS, PX_ERROR_REFUSED, PX_ERROR_TRANSIENT, PX_ERROR_CONFIG};
  for (size_t i = 0; i < G_N_ELEMENTS(of_the_file); i++)
    if (g_error_matches(problem, PX_ERROR, (int)of_the_file[i]))
      return true;
  return g_error_matches(problem, PX_ERROR, PX_ERROR_UNREACHABLE) && px_storage_check(action->storage, false, NULL);
}

/* Whether the error only concerns this file: then it is told, and tried again by the next run. */
static bool tell(const Action *action, GError **problem, GError **error) {
  if (!*problem || px_db_in_transaction(action->work->project->db) || !is_of_the_file(action, *problem)) {
    g_propagate_error(error, g_steal_pointer(problem));
    return false;
  }
  px_work_problem(action->work, action->attachment->name, "was taken, but could not be put away (it is %s now): %s",
                  action->attachment->remote_held ? action->attachment->remote_held : "where it was", (*problem)->message);
  g_clear_error(problem);
  return true;
}

/* The remote file is dealt with, and its identity free: the same name dropped again is another file. */
static void set_free(PxAttachment *attachment) {
  g_clear_pointer(&attachment->remote_key, g_free);
  g_clear_pointer(&attachment->remote_held, g_free);
}

static bool finish(const Action *action, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (!put_ready_away(action, &problem))
    return tell(action, &problem, error);
  set_free(action->attachment);
  return store(action, PX_REMOTE_DONE, error);
}

/* ---- pending: take it */

/* Whether a file of that name is there. A storage that does not answer says nothing of it: false, an error. */
static bool look_for(const Action *action, const char *name, bool *ret_there, PxFileInfo *ret_info, GError **error) {
  g_autoptr(GError) problem = NULL;
  g_autoptr(PxReading) reading = px_storage_open_read(action->storage, action->attachment->path, name, ret_info, &problem);
  *ret_there = reading != NULL;
  if (reading || g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND) || g_error_matches(problem, PX_ERROR, PX_ERROR_REFUSED))
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

/* Gives the file our name for it. *ret_gone: it is not there, under neither name. */
static bool hold(const Action *action, bool *ret_gone, GError **error) {
  PxAttachment *attachment = action->attachment;
  g_autofree char *held = g_strdup_printf(".pattimpex-%" G_GINT64_FORMAT, attachment->id);
  g_autoptr(GError) problem = NULL;
  *ret_gone = false;
  if (attachment->remote_held) /* inherited from the file that was there first */
    return true;
  if (!hold_ready(action, held, error))
    return false;
  attachment->remote_held = g_strdup(held);
  if (px_storage_move(action->storage, action->attachment->path, attachment->name, action->attachment->path, held, &problem))
    return true;
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS)) /* renamed before a kill */
    return true;
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_clear_pointer(&attachment->remote_held, g_free);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  PxFileInfo info;
  bool there;
  if (!look_for(action, held, &there, &info, error)) {
    g_clear_pointer(&attachment->remote_held, g_free);
    return false;
  }
  *ret_gone = !there;
  return true;
}

static bool is_what_was_read(const Action *action, bool *ret_same, GError **error) {
  const PxAttachment *attachment = action->attachment;
  PxFileInfo info;
  g_autoptr(PxReading) reading = px_storage_open_read(action->storage, action->attachment->path, attachment->remote_held, &info, error);
  char sha256[65];
  *ret_same = false;
  if (!reading || info.size != attachment->size)
    return reading != NULL;
  if (!px_storage_digest(reading, sha256, error))
    return false;
  *ret_same = strcmp(sha256, attachment->sha256) == 0;
  return true;
}

/* Other bytes came under the name between the reading and the renaming: they are a new attachment, which inherits the file. In one transaction, so
 * that
 * the file always is exactly one attachment's. */
static bool take_other_bytes(const Action *action, PxAttachment **ret_next, GError **error) {
  PxWork *work = action->work;
  PxAttachment *old = action->attachment;
  PxFileInfo info;
  PxBlob blob;
  g_autoptr(PxReading) reading = px_storage_open_read(action->storage, action->attachment->path, old->remote_held, &info, error);
  if (!reading || !px_filestore_add_reading(work->project->filestore, reading, &blob, error))
    return false;
  g_autoptr(PxAttachment) next = px_fetch_attachment(action->task, old->path, old->name, &blob);
  next->remote_key = px_remote_key(action->attachment->path, &info);
  next->remote_held = g_strdup(old->remote_held);
  next->remote_action = PX_REMOTE_PENDING;
  g_clear_pointer(&old->remote_key, g_free);
  g_clear_pointer(&old->remote_held, g_free);
  old->remote_action = PX_REMOTE_DONE;
  if (!px_work_begin(work, error))
    return false;
  bool ok = px_attachment_store_remote(work->project->db, old, px_project_now(work->project), error) && px_fetch_add(work, action->task, next, error);
  if (!px_transaction_end(work->project->db, ok, error))
    return false;
  px_hook("remote-other-bytes");
  work->report.fetched++;
  *ret_next = g_steal_pointer(&next);
  return true;
}

/* ---- taken: put it away */

static char *final_name(const Action *action, GError **error) {
  const PxAttachment *attachment = action->attachment;
  bool renames = action->task->after_import == PX_AFTER_RENAME || action->task->after_import == PX_AFTER_MOVE_RENAME;
  if (!renames || !action->task->new_name)
    return g_strdup(attachment->name);
  const PxTemplateValues values = {.name = attachment->name,
                                   .id = attachment->id,
                                   .checksum = attachment->sha256,
                                   .created = attachment->created,
                                   .task = action->task->name,
                                   .now = px_project_now(action->work->project),
                                   .timezone = action->work->project->timezone};
  return px_template_render(action->task->new_name, &values, error);
}

/* on_exists: replace. Nothing is moved over another file: the stored bytes are put in its place, then ours is removed. */
static bool replace(const Action *action, const char *path, const char *name, GError **error) {
  const PxAttachment *attachment = action->attachment;
  int blob = px_filestore_read(action->work->project->filestore, attachment->sha256, error);
  if (blob < 0)
    return false;
  bool put = px_storage_put(action->storage, path, name, blob, attachment->size, attachment->sha256, PX_EXISTS_REPLACE, NULL, error);
  (void)close(blob);
  px_hook("remote-replaced");
  return put && px_storage_remove(action->storage, action->attachment->path, attachment->remote_held, error);
}

static bool move(const Action *action, const char *name, GError **error) {
  const PxAttachment *attachment = action->attachment;
  g_autofree char *path = px_task_beneath(action->task, action->task->move_path, attachment->path);
  g_autofree char *got = NULL;
  bool ok;
  if (action->task->on_exists == PX_EXISTS_REPLACE)
    ok = replace(action, path, name, error);
  else if (action->task->on_exists == PX_EXISTS_FAIL)
    ok = px_storage_move(action->storage, action->attachment->path, attachment->remote_held, path, name, error);
  else
    ok = px_storage_move_numbered(action->storage, action->attachment->path, attachment->remote_held, path, name, &got, error);
  if (!ok)
    return false;
  g_free(action->attachment->moved_to);
  action->attachment->moved_to = g_strdup_printf("%s%s%s", path, *path ? "/" : "", got ? got : name);
  return true;
}

/* A renamed file stays in the folder that is listed: it keeps its identity, so that it is not fetched again under its new name. The name is stored
 * before it is
 * given, so that a kill between the two loses neither. */
static bool rename_in_place(const Action *action, const char *name, GError **error) {
  PxAttachment *attachment = action->attachment;
  const char *dot = strrchr(name, '.');
  int stem = (int)(dot && dot != name ? dot - name : (ptrdiff_t)strlen(name));
  for (unsigned number = 0; number < 1000; number++) {
    g_autoptr(GError) problem = NULL;
    g_free(attachment->moved_to);
    attachment->moved_to = number ? g_strdup_printf("%.*s-%u%s", stem, name, number, name + stem) : g_strdup(name);
    if (!store(action, PX_REMOTE_TAKEN, error))
      return false;
    if (px_storage_move(action->storage, action->attachment->path, attachment->remote_held, action->attachment->path, attachment->moved_to, &problem))
      return true;
    if (action->task->on_exists == PX_EXISTS_FAIL || !g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
  }
  g_set_error(error, PX_ERROR, PX_ERROR_EXISTS, "%s and a thousand numbered names are there already", name);
  return false;
}

static bool finish_renamed(const Action *action, GError **error) {
  PxAttachment *attachment = action->attachment;
  g_autoptr(GError) problem = NULL;
  PxFileInfo info;
  bool there;
  if (!look_for(action, attachment->moved_to, &there, &info, &problem))
    return tell(action, &problem, error);
  if (!there) /* somebody was faster: nothing is left to be recognised */
    return finish(action, error);
  if (!put_ready_away(action, &problem))
    return tell(action, &problem, error);
  g_free(attachment->remote_key);
  attachment->remote_key = px_remote_key(action->attachment->path, &info);
  g_clear_pointer(&attachment->remote_held, g_free);
  return store(action, PX_REMOTE_DONE, error);
}

static bool put_away(const Action *action, GError **error) {
  g_autofree char *name = final_name(action, error);
  if (!name)
    return false;
  switch (action->task->after_import) {
  case PX_AFTER_DELETE:
    return px_storage_remove(action->storage, action->attachment->path, action->attachment->remote_held, error);
  case PX_AFTER_MOVE:
  case PX_AFTER_MOVE_RENAME:
    return move(action, name, error);
  case PX_AFTER_KEEP: /* the task has changed since: the file gets its name back */
  case PX_AFTER_RENAME:
    break;
  }
  return rename_in_place(action, name, error);
}

static bool stays(const PxTask *task) {
  return task->after_import == PX_AFTER_RENAME || task->after_import == PX_AFTER_KEEP;
}

/* remote_action is taken. A file that has our name no more was put away before a kill. */
static bool finish_taken(const Action *action, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxFileInfo info;
  bool held = true;
  if (stays(action->task) && action->attachment->moved_to && !look_for(action, action->attachment->remote_held, &held, &info, &problem))
    return tell(action, &problem, error);
  if (!held)
    return finish_renamed(action, error);
  bool done = put_away(action, &problem);
  px_hook("remote-put-away");
  if (!done && !g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND))
    return tell(action, &problem, error);
  return done && stays(action->task) ? finish_renamed(action, error) : finish(action, error);
}

/* ---- both */

/* remote_action is pending. *ret_next: other bytes that came meanwhile, to be dealt with next. */
static bool take(const Action *action, PxAttachment **ret_next, GError **error) {
  bool gone;
  bool same;
  g_autoptr(GError) problem = NULL;
  if (!hold(action, &gone, &problem))
    return tell(action, &problem, error);
  px_hook("remote-held");
  if (gone)
    return finish(action, error);
  if (!is_what_was_read(action, &same, &problem))
    return g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND) ? finish(action, error) : tell(action, &problem, error);
  if (!same)
    return take_other_bytes(action, ret_next, error);
  return store(action, PX_REMOTE_TAKEN, error) && finish_taken(action, error);
}

bool px_remote_action(PxWork *work, PxStorage *storage, const PxTask *task, PxAttachment *attachment, GError **error) {
  Action action = {.work = work, .storage = storage, .task = task, .attachment = attachment};
  if (work->project->dry_run) /* the storage only pretends, so there is nothing to compare */
    return store(&action, PX_REMOTE_DONE, error);
  if (attachment->remote_action == PX_REMOTE_TAKEN)
    return finish_taken(&action, error);
  g_autoptr(PxAttachment) owned = NULL;
  for (unsigned changes = 0; changes < MAX_CHANGES; changes++) {
    PxAttachment *next = NULL;
    if (!take(&action, &next, error))
      return false;
    if (!next)
      return true;
    px_attachment_free(owned);
    owned = action.attachment = next;
  }
  return true;
}

/* ---- several at once: what they have reached is stored together, since a commit costs more than a small file */

/* It has our name and is what was read; *ret_left: it is neither, or gone, which px_remote_action() sees to. */
static bool hold_same(const Action *action, bool *ret_same, bool *ret_left, GError **error) {
  g_autoptr(GError) problem = NULL;
  bool gone = false;
  *ret_same = *ret_left = false;
  if (!hold(action, &gone, &problem))
    return tell(action, &problem, error);
  px_hook("remote-held");
  bool looked = gone || is_what_was_read(action, ret_same, &problem);
  *ret_left = (looked && !*ret_same) || g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND);
  return looked || *ret_left || tell(action, &problem, error);
}

static bool hold_all(Action action, const GPtrArray *attachments, GPtrArray *held, GPtrArray *left, GError **error) {
  for (guint i = 0; i < attachments->len; i++) {
    bool same = false;
    bool is_left = true;
    action.attachment = attachments->pdata[i];
    if (px_project_stopped(action.work->project, error))
      return false;
    if (action.attachment->remote_action == PX_REMOTE_PENDING && !hold_same(&action, &same, &is_left, error))
      return false;
    if (same || is_left)
      g_ptr_array_add(same ? held : left, action.attachment);
  }
  return true;
}

static bool put_held_away(const Action *action, bool *ret_done, GError **error) {
  g_autoptr(GError) problem = NULL;
  bool away = put_away(action, &problem);
  px_hook("remote-put-away");
  if (!away && g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_clear_error(&problem);
    away = true;
  }
  *ret_done = away && put_ready_away(action, &problem);
  if (*ret_done)
    set_free(action->attachment);
  return *ret_done || tell(action, &problem, error);
}

/* Those that were put away before it cannot go on are stored, too. */
static bool put_all_away(Action action, const GPtrArray *held, GError **error) {
  g_autoptr(GPtrArray) away = g_ptr_array_new();
  bool ok = true;
  px_storage_put_off(action.storage);
  for (guint i = 0; ok && i < held->len; i++) {
    bool done = false;
    action.attachment = held->pdata[i];
    ok = !px_project_stopped(action.work->project, error) && put_held_away(&action, &done, error);
    if (done)
      g_ptr_array_add(away, action.attachment);
  }
  if (!px_storage_settle(action.storage, ok ? error : NULL))
    return false;
  return store_all(action.work, PX_REMOTE_DONE, (PxAttachment *const *)away->pdata, away->len, ok ? error : NULL) && ok;
}

/* What was moved is safe before the rows say so. */
static bool hold_safely(const Action *action, const GPtrArray *attachments, GPtrArray *held, GPtrArray *left, GError **error) {
  px_storage_put_off(action->storage);
  bool ok = hold_all(*action, attachments, held, left, error);
  return px_storage_settle(action->storage, ok ? error : NULL) && ok;
}

bool px_remote_actions(PxWork *work, PxStorage *storage, const PxTask *task, const GPtrArray *attachments, GError **error) {
  const Action action = {.work = work, .storage = storage, .task = task};
  g_autoptr(GPtrArray) held = g_ptr_array_new();
  g_autoptr(GPtrArray) left = g_ptr_array_new();
  if (work->project->dry_run || stays(task)) /* what stays is stored at each step */
    g_ptr_array_extend(left, (GPtrArray *)(uintptr_t)attachments, NULL, NULL);
  else if (!hold_safely(&action, attachments, held, left, error) ||
           !store_all(work, PX_REMOTE_TAKEN, (PxAttachment *const *)held->pdata, held->len, error) || !put_all_away(action, held, error))
    return false;
  for (guint i = 0; i < left->len; i++)
    if (px_project_stopped(work->project, error) || !px_remote_action(work, storage, task, left->pdata[i], error))
      return false;
  return true;
}
