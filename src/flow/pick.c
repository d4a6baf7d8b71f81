/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/pick.h"

#include "base/hook.h"
#include "queue/sightings.h"

#define PAGE 500 /* files that the database is asked for at once */

typedef struct {
  PxWork *work;
  const PxTask *task;
  GArray *found;      /* PxPicked: what the listing has for the task, in the order of folders and names */
  const char *folder; /* that is listed now: the path of the last one found */
  guint n_folders;
  GHashTable *places;     /* of all files that are listed; only where there are ready files */
  GHashTable *ready;      /* of what has to be there before these are taken; the same */
  GHashTable *sightings;  /* place -> PxSighting: of listings before; those that are needed further are taken out */
  GPtrArray *changed;     /* PxSighting: to be stored */
  int64_t before, behind; /* the clock when the listing began, and when it was there */
} Pick;

static void clear_picked(gpointer data) {
  PxPicked *picked = data;
  g_free(picked->path);
  g_free((gpointer)(uintptr_t)picked->info.name);
  g_free((gpointer)(uintptr_t)picked->info.identity);
}

static void free_sighting(gpointer sighting) {
  px_sighting_free(sighting);
}

static GArray *new_picked(void) {
  GArray *picked = g_array_new(FALSE, FALSE, sizeof(PxPicked));
  g_array_set_clear_func(picked, clear_picked);
  return picked;
}

/* ---- listing */

/* What was put away is not fetched again. */
static bool wants_folder(const char *path, void *data) {
  const PxTask *task = ((const Pick *)data)->task;
  return g_strcmp0(path, task->move_path) != 0 && g_strcmp0(path, task->error_path) != 0 && g_strcmp0(path, task->receipt_path) != 0;
}

static void note_ready_name(const Pick *pick, const char *path, const char *name) {
  g_autofree char *ready = px_task_ready_name(pick->task, name);
  g_hash_table_add(pick->places, px_pick_place(path, name));
  if (ready)
    g_hash_table_add(pick->ready, px_pick_place(path, ready));
}

static bool collect(const char *path, const PxFileInfo *info, void *data) {
  Pick *pick = data;
  if (pick->task->ready_file && !info->is_directory)
    note_ready_name(pick, path, info->name);
  if (!info->is_directory && !px_task_takes(pick->task, info->name))
    return true;
  pick->n_folders += g_strcmp0(path, pick->folder) != 0;
  PxPicked picked = {.path = g_strdup(path), .info = *info, .nth = pick->n_folders};
  pick->folder = picked.path;
  picked.info.name = g_strdup(info->name);
  picked.info.identity = g_strdup(info->identity);
  g_array_append_val(pick->found, picked);
  return true;
}

static int compare_places(gconstpointer a, gconstpointer b) {
  const PxPicked *one = a;
  const PxPicked *other = b;
  if (one->nth != other->nth)
    return one->nth < other->nth ? -1 : 1;
  return strcmp(one->info.name, other->info.name);
}

static bool list(Pick *pick, PxStorage *storage, GError **error) {
  PxWork *work = pick->work;
  bool missing;
  work->at_storage = true;
  pick->before = px_project_now(work->project);
  if (!px_storage_list_tree(storage, pick->task->path, pick->task->recursive ? wants_folder : NULL, collect, pick, &missing, error))
    return false;
  pick->behind = px_project_now(work->project);
  g_array_sort(pick->found, compare_places);
  work->at_storage = false;
  work->report.missing_path = missing ? pick->task->path : NULL;
  return true;
}

char *px_pick_place(const char *path, const char *name) {
  return g_strconcat(path, "/", name, NULL);
}

/* ---- files that are known: the database is asked for a page of them at once */

static void note_same(const Pick *pick, guint from, guint n, const bool *known) {
  for (guint i = 0; i < n; i++) {
    PxPicked *file = &g_array_index(pick->found, PxPicked, from + i);
    pick->work->report.known += known[i];
    file->is_known |= known[i];
  }
}

/* avoid_duplicates: name. In another folder the same name is another file. */
static bool note_named(const Pick *pick, guint from, guint n, bool *known, GError **error) {
  const char *names[PAGE];
  const char *paths[PAGE];
  for (guint i = 0; i < n; i++) {
    const PxPicked *file = &g_array_index(pick->found, PxPicked, from + i);
    names[i] = file->info.name;
    paths[i] = file->path;
  }
  const char *scope = px_fetch_scope(pick->task);
  if (!px_attachments_named(pick->work->project->db, names, pick->task->recursive ? paths : NULL, n, scope, known, error))
    return false;
  for (guint i = 0; i < n; i++) {
    PxPicked *file = &g_array_index(pick->found, PxPicked, from + i);
    file->is_named = known[i] && !file->is_known;
    pick->work->report.duplicates += file->is_named;
    file->is_known |= known[i] && !pick->task->receipt_path;
  }
  return true;
}

static bool ask_page(const Pick *pick, guint from, guint n, GError **error) {
  bool known[PAGE];
  g_auto(GStrv) keys = g_new0(char *, n + 1);
  for (guint i = 0; i < n; i++) {
    const PxPicked *file = &g_array_index(pick->found, PxPicked, from + i);
    keys[i] = px_remote_key(file->path, &file->info);
  }
  if (!px_attachments_known(pick->work->project->db, pick->task->name, (const char *const *)keys, n, known, error))
    return false;
  note_same(pick, from, n, known);
  return pick->task->avoid_duplicates != PX_DUPLICATES_NAME || note_named(pick, from, n, known, error);
}

/* Whether the queue has them: this very file, or one of its name. */
static bool find_known(const Pick *pick, GError **error) {
  for (guint from = 0; from < pick->found->len; from += PAGE)
    if (!ask_page(pick, from, MIN(PAGE, pick->found->len - from), error))
      return false;
  return true;
}

/* ---- files that cannot be taken */

/* They are told, and asked for no further: not every name is text that a database takes. */
static void leave_out_refused(const Pick *pick) {
  guint kept = 0;
  for (guint i = 0; i < pick->found->len; i++) {
    PxPicked *file = &g_array_index(pick->found, PxPicked, i);
    if (file->info.refused) {
      g_autofree char *shown = g_strescape(file->info.name, NULL);
      px_work_problem(pick->work, shown, "not taken: %s", file->info.refused);
      continue;
    }
    PxPicked *to = &g_array_index(pick->found, PxPicked, kept++);
    PxPicked moved = *to;
    *to = *file;
    if (to != file)
      *file = moved;
  }
  g_array_set_size(pick->found, kept);
}

/* ---- files that are not ready */

/* A ready file itself is never taken. */
static bool is_ready(const Pick *pick, const PxPicked *file) {
  if (!pick->task->ready_file)
    return true;
  g_autofree char *place = px_pick_place(file->path, file->info.name);
  if (g_hash_table_contains(pick->ready, place))
    return false;
  g_autofree char *name = px_task_ready_name(pick->task, file->info.name);
  g_autofree char *ready = px_pick_place(file->path, name ? name : "");
  bool is_there = g_hash_table_contains(pick->places, ready);
  pick->work->report.unready += !is_there;
  return is_there;
}

/* ---- files that may still be written to */

static void wait_until(PxWork *work, int64_t when) {
  work->report.waiting++;
  work->report.stable_at = MAX(work->report.stable_at, when);
}

/* By the time of its last change, where our own clock gave it; 0: that says nothing. Also for a clock that is coarse. */
static int64_t settled_by_clock(const PxTask *task, const PxFileInfo *info, int64_t now) {
  int64_t changed = info->mtime_ns / 1000;
  return info->clock_is_ours && changed <= now ? changed + MAX(task->stable_for, info->mtime_precision_ns / 1000) : 0;
}

/* Since when it has been listed as it is now. */
static int64_t listed_since(const Pick *pick, const PxPicked *file) {
  g_autofree char *place = px_pick_place(file->path, file->info.name);
  g_autofree char *identity = px_remote_key("", &file->info);
  const PxSighting *old = g_hash_table_lookup(pick->sightings, place);
  bool same = old && g_str_equal(old->identity, identity) && old->since <= pick->behind; /* else our clock was put back */
  int64_t since = same ? old->since : pick->behind;
  if (!old)
    pick->work->report.again_at = MAX(pick->work->report.again_at, since + pick->task->stable_for);
  g_hash_table_remove(pick->sightings, place);
  if (!same) {
    PxSighting *new = g_new(PxSighting, 1);
    *new = (PxSighting){.place = g_steal_pointer(&place), .identity = g_steal_pointer(&identity), .since = since};
    g_ptr_array_add(pick->changed, new);
  }
  return since;
}

static bool is_settled(const Pick *pick, const PxPicked *file) {
  int64_t by_clock = settled_by_clock(pick->task, &file->info, pick->behind);
  bool at_once = file->info.is_whole || (by_clock ? by_clock <= pick->before : pick->task->stable_for == 0);
  if (at_once)
    return true;
  int64_t listed = listed_since(pick, file) + pick->task->stable_for;
  if (!by_clock && listed <= pick->before)
    return true;
  wait_until(pick->work, by_clock ? by_clock : listed);
  return false;
}

bool px_pick_is_as_listed(PxWork *work, const PxTask *task, const PxPicked *listed, const PxFileInfo *opened) {
  int64_t differs = ABS(opened->mtime_ns - listed->info.mtime_ns);
  bool same = opened->size == listed->info.size && (differs == 0 || differs < MAX(listed->info.mtime_precision_ns, opened->mtime_precision_ns));
  if (!same)
    wait_until(work, px_project_now(work->project) + task->stable_for);
  return same;
}

/* ---- what was seen, kept for the next listing */

static GHashTable *by_place(const GPtrArray *sightings) {
  GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < sightings->len; i++) {
    PxSighting *sighting = sightings->pdata[i];
    g_hash_table_insert(table, sighting->place, sighting);
  }
  return table;
}

static bool store_rows(const Pick *pick, GError **error) {
  PxDb *db = pick->work->project->db;
  guint n_gone;
  g_autofree gpointer *gone = g_hash_table_get_keys_as_array(pick->sightings, &n_gone);
  return px_sightings_store(db, pick->task->name, (const PxSighting *const *)pick->changed->pdata, pick->changed->len, error) &&
         px_sightings_forget(db, pick->task->name, (const char *const *)gone, n_gone, error);
}

static bool store_sightings(const Pick *pick, GError **error) {
  if (pick->changed->len == 0 && g_hash_table_size(pick->sightings) == 0)
    return true;
  if (!px_work_begin(pick->work, error) || !px_transaction_end(pick->work->project->db, store_rows(pick, error), error))
    return false;
  px_hook("fetch-seen");
  return true;
}

/* ---- the order */

static int compare_times(gconstpointer a, gconstpointer b) {
  const PxPicked *one = a;
  const PxPicked *other = b;
  if (one->info.mtime_ns != other->info.mtime_ns)
    return one->info.mtime_ns < other->info.mtime_ns ? -1 : 1;
  return one->nth < other->nth ? -1 : one->nth > other->nth;
}

static int compare_listed(gconstpointer a, gconstpointer b) {
  const PxPicked *one = a;
  const PxPicked *other = b;
  return one->nth < other->nth ? -1 : one->nth > other->nth;
}

static int turned_around(gconstpointer a, gconstpointer b, gpointer compare) {
  return -((GCompareFunc)compare)(a, b);
}

static void put_in_order(const PxTask *task, GArray *picked) {
  GCompareFunc compare = task->by_time ? compare_times : compare_listed;
  for (guint i = 0; i < picked->len; i++)
    g_array_index(picked, PxPicked, i).nth = i;
  if (task->descending)
    g_array_sort_with_data(picked, turned_around, (gpointer)compare);
  else
    g_array_sort(picked, compare);
}

/* The rest is taken by the runs that follow. */
static void cut(PxWork *work, const PxTask *task, GArray *picked) {
  if (!task->max_files || picked->len <= task->max_files)
    return;
  work->report.left = picked->len - task->max_files;
  g_array_set_size(picked, (guint)task->max_files);
}

/* ---- all of it */

/* Moves what is new and settled from found to picked, or to named. */
static void sieve(const Pick *pick, GArray *picked, GArray *named) {
  for (guint i = 0; i < pick->found->len; i++) {
    PxPicked *file = &g_array_index(pick->found, PxPicked, i);
    if (file->is_known || !is_ready(pick, file) || !is_settled(pick, file))
      continue;
    GArray *to = file->is_named ? named : picked;
    g_array_append_val(to, *file);
    *file = (PxPicked){0};
  }
}

GArray *px_pick(PxWork *work, PxStorage *storage, const PxTask *task, GArray **ret_named, GError **error) {
  g_autoptr(GArray) found = new_picked();
  g_autoptr(GArray) picked = new_picked();
  g_autoptr(GArray) named = new_picked();
  *ret_named = NULL;
  g_autoptr(GPtrArray) changed = g_ptr_array_new_with_free_func(free_sighting);
  g_autoptr(GPtrArray) before = px_sightings_of(work->project->db, task->name, error);
  if (!before)
    return NULL;
  g_autoptr(GHashTable) sightings = by_place(before);
  g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) ready = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Pick pick = {.work = work, .task = task, .found = found, .places = places, .ready = ready, .sightings = sightings, .changed = changed};
  if (!list(&pick, storage, error))
    return NULL;
  leave_out_refused(&pick);
  if (!find_known(&pick, error))
    return NULL;
  sieve(&pick, picked, named);
  if (!store_sightings(&pick, error))
    return NULL;
  put_in_order(task, picked);
  cut(work, task, picked);
  *ret_named = g_steal_pointer(&named);
  return g_steal_pointer(&picked);
}
