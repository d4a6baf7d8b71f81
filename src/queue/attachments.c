/* SPDX-License-Identifier: Apache-2.0 */
/* The attachment queue: one row a file in our care. */
#include "queue/queue_private.h"

static const char *const direction_words[] = {"import", "export", "error", "receipt"};
static const char *const remote_words[] = {"none", "pending", "taken", "done"};

PxAttachment *px_attachment_new(PxDirection direction, const char *name) {
  PxAttachment *attachment = g_new0(PxAttachment, 1);
  attachment->direction = direction;
  attachment->name = g_strdup(name);
  return attachment;
}

void px_attachment_free(PxAttachment *attachment) {
  if (!attachment)
    return;
  char *const owned[] = {attachment->name,        attachment->task,     attachment->upload_task, attachment->pattern,
                         attachment->sha256,      attachment->storage,  attachment->path,        attachment->remote_key,
                         attachment->remote_held, attachment->moved_to, attachment->error};
  for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
    g_free(owned[i]);
  g_free(attachment);
}

void px_free_attachment_row(gpointer attachment) {
  px_attachment_free(attachment);
}

static gpointer read_attachment(PxColumns *columns) {
  PxAttachment *attachment = g_new0(PxAttachment, 1);
  attachment->id = px_column_integer(columns);
  attachment->direction = (PxDirection)px_column_word(columns, direction_words, G_N_ELEMENTS(direction_words));
  attachment->state = px_column_state(columns);
  attachment->name = px_column_text(columns);
  attachment->task = px_column_text(columns);
  attachment->upload_task = px_column_text(columns);
  attachment->pattern = px_column_text(columns);
  attachment->sha256 = px_column_text(columns);
  attachment->size = (uint64_t)px_column_integer(columns);
  attachment->storage = px_column_text(columns);
  attachment->path = px_column_text(columns);
  attachment->on_exists = (int)px_column_integer(columns);
  attachment->parent_id = px_column_integer(columns);
  attachment->remote_key = px_column_text(columns);
  attachment->remote_action = (PxRemoteAction)px_column_word(columns, remote_words, G_N_ELEMENTS(remote_words));
  attachment->remote_held = px_column_text(columns);
  attachment->moved_to = px_column_text(columns);
  attachment->error = px_column_text(columns);
  attachment->created = px_column_integer(columns);
  attachment->changed = px_column_integer(columns);
  return attachment;
}

/* ---- putting in */

#define ADDED_COLUMNS 20

/* Of attachment_add.sql. */
static void values_to_add(gconstpointer row, PxValue *ret_values) {
  const PxAttachment *attachment = row;
  bool is_receipt = attachment->direction == PX_DIRECTION_RECEIPT;
  const PxValue values[ADDED_COLUMNS] = {
    px_value_string(px_direction_name(is_receipt ? PX_DIRECTION_ERROR : attachment->direction)),
    px_value_string(px_state_name(attachment->state)),
    px_value_string(attachment->name),
    px_value_string(attachment->task),
    px_value_string(attachment->upload_task),
    px_value_string(attachment->pattern),
    px_value_string(attachment->sha256),
    px_value_integer((int64_t)attachment->size),
    px_value_string(attachment->storage),
    px_value_string(attachment->path),
    px_value_integer(attachment->on_exists),
    px_id_value(attachment->parent_id),
    px_value_string(attachment->remote_key),
    px_value_string(px_remote_action_name(attachment->remote_action)),
    px_value_string(attachment->remote_held),
    px_value_string(attachment->moved_to),
    px_value_string(attachment->error),
    px_value_integer(attachment->created),
    px_value_integer(attachment->changed),
    px_value_integer(is_receipt),
  };
  memcpy(ret_values, values, sizeof values);
}

static bool insert(PxDb *db, PxAttachment *attachment, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_add", &binder, error))
    return false;
  attachment->created = attachment->changed = now;
  px_bind_row(&binder, attachment, ADDED_COLUMNS, values_to_add);
  return px_run_for_id(&binder, &attachment->id, error);
}

bool px_attachment_add(PxDb *db, PxAttachment *attachment, int64_t now, GError **error) {
  if (!insert(db, attachment, now, error))
    return false;
  if (attachment->id)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_EXISTS, "%s: this very file is in the queue already", attachment->name);
  return false;
}

static bool insert_all(PxDb *db, PxAttachment *const *attachments, size_t n, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachments_add", &binder, error))
    return false;
  for (size_t i = 0; i < n; i++)
    attachments[i]->created = attachments[i]->changed = now;
  g_autofree PxValue *values = px_bind_rows(&binder, (const gconstpointer *)attachments, n, ADDED_COLUMNS, values_to_add);
  g_autofree int64_t *ids = g_new(int64_t, n);
  bool done = px_run_for_ids(&binder, n, ids, error);
  for (size_t i = 0; i < n; i++)
    attachments[i]->id = done ? ids[i] : 0;
  return done;
}

bool px_attachments_add(PxDb *db, PxAttachment *const *attachments, size_t n, int64_t now, GError **error) {
  if (n && px_db_dialect(db) == PX_DIALECT_POSTGRES)
    return insert_all(db, attachments, n, now, error);
  for (size_t i = 0; i < n; i++)
    if (!insert(db, attachments[i], now, error))
      return false;
  return true;
}

/* ---- looking */

PxAttachment *px_attachment_get(PxDb *db, int64_t id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_get", &binder, error))
    return NULL;
  px_bind_integer(&binder, id);
  return px_read_row(&binder, read_attachment, "attachment", id, error);
}

GPtrArray *px_attachment_list(PxDb *db, const PxListFilter *filter, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_list", &binder, error))
    return NULL;
  px_bind_filter(&binder, filter->state);
  px_bind_filter(&binder, filter->task);
  px_bind_text(&binder, filter->task);
  px_bind_filter(&binder, filter->kind);
  g_autofree char *like = px_like_part(filter->error);
  px_bind_filter(&binder, like);
  px_bind_integer(&binder, filter->since);
  px_bind_limit(&binder, filter->limit);
  return px_read_rows(&binder, read_attachment, px_free_attachment_row, error);
}

static bool is_known(PxDb *db, const char *task, const char *remote_key, bool *ret_known, GError **error) {
  PxBinder binder;
  int64_t found;
  if (!px_queue_statement(db, "attachment_known", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, remote_key);
  bool ok = px_run_for_id(&binder, &found, error);
  *ret_known = ok && found != 0;
  return ok;
}

bool px_attachment_find_name(PxDb *db, const char *name, const char *path, const char *task, int64_t *ret_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_find_name", &binder, error))
    return false;
  px_bind_text(&binder, name);
  px_bind_filter(&binder, path);
  px_bind_filter(&binder, task);
  return px_run_for_id(&binder, ret_id, error);
}

/* Its rows are places, from 1, of what is known. */
static bool run_for_places(const PxBinder *binder, size_t n, bool *ret_known, GError **error) {
  PxStep step;
  memset(ret_known, 0, n * sizeof *ret_known);
  while ((step = px_stmt_step(binder->stmt, error)) == PX_STEP_ROW)
    ret_known[px_stmt_integer(binder->stmt, 0) - 1] = true;
  return step == PX_STEP_DONE;
}

/* A server is asked once for all; SQLite, which answers at once, for each. */
bool px_attachments_known(PxDb *db, const char *task, const char *const *remote_keys, size_t n, bool *ret_known, GError **error) {
  if (px_db_dialect(db) == PX_DIALECT_POSTGRES) {
    PxBinder binder;
    if (!px_queue_statement(db, "attachments_known", &binder, error))
      return false;
    g_autofree PxValue *keys = px_bind_texts(&binder, remote_keys, n);
    px_bind_text(&binder, task);
    return run_for_places(&binder, n, ret_known, error);
  }
  for (size_t i = 0; i < n; i++)
    if (!is_known(db, task, remote_keys[i], &ret_known[i], error))
      return false;
  return true;
}

bool px_attachments_named(PxDb *db, const char *const *names, const char *const *paths, size_t n, const char *task, bool *ret_known, GError **error) {
  if (px_db_dialect(db) == PX_DIALECT_POSTGRES) {
    PxBinder binder;
    if (!px_queue_statement(db, "attachments_named", &binder, error))
      return false;
    g_autofree PxValue *name_values = px_bind_texts(&binder, names, n);
    g_autofree PxValue *path_values = px_bind_texts(&binder, paths, n);
    px_bind_filter(&binder, task);
    return run_for_places(&binder, n, ret_known, error);
  }
  for (size_t i = 0; i < n; i++) {
    int64_t id;
    if (!px_attachment_find_name(db, names[i], paths ? paths[i] : NULL, task, &id, error))
      return false;
    ret_known[i] = id != 0;
  }
  return true;
}

static bool find_content(PxDb *db, const char *sha256, const char *task, int64_t *ret_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_find_content", &binder, error))
    return false;
  px_bind_text(&binder, sha256);
  px_bind_filter(&binder, task);
  return px_run_for_id(&binder, ret_id, error);
}

bool px_attachments_find_content(PxDb *db, const char *const *sha256s, size_t n, const char *task, int64_t *ret_ids, GError **error) {
  if (px_db_dialect(db) == PX_DIALECT_POSTGRES) {
    PxBinder binder;
    if (!px_queue_statement(db, "attachments_find_content", &binder, error))
      return false;
    g_autofree PxValue *contents = px_bind_texts(&binder, sha256s, n);
    px_bind_filter(&binder, task);
    return px_run_for_ids(&binder, n, ret_ids, error);
  }
  for (size_t i = 0; i < n; i++)
    if (!find_content(db, sha256s[i], task, &ret_ids[i], error))
      return false;
  return true;
}

bool px_attachment_find_receipt(PxDb *db, int64_t parent_id, int64_t *ret_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_receipt", &binder, error))
    return false;
  px_bind_integer(&binder, parent_id);
  return px_run_for_id(&binder, ret_id, error);
}

GPtrArray *px_attachment_unsettled(PxDb *db, const char *task, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_unsettled", &binder, error))
    return NULL;
  px_bind_text(&binder, task);
  return px_read_rows(&binder, read_attachment, px_free_attachment_row, error);
}

GPtrArray *px_attachment_waiting(PxDb *db, const char *task, uint64_t limit, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_waiting", &binder, error))
    return NULL;
  px_bind_filter(&binder, task);
  px_bind_text(&binder, task);
  px_bind_limit(&binder, limit);
  return px_read_rows(&binder, read_attachment, px_free_attachment_row, error);
}

static bool is_waiting(PxDb *db, const char *task, bool *ret_waiting, GError **error) {
  g_autoptr(GPtrArray) one = px_attachment_waiting(db, task, 1, error);
  *ret_waiting = one && one->len > 0;
  return one != NULL;
}

bool px_attachment_tasks_waiting(PxDb *db, const char *const *tasks, size_t n, bool *ret_waiting, GError **error) {
  if (px_db_dialect(db) != PX_DIALECT_POSTGRES) {
    for (size_t i = 0; i < n; i++)
      if (!is_waiting(db, tasks[i], &ret_waiting[i], error))
        return false;
    return true;
  }
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_tasks_waiting", &binder, error))
    return false;
  g_autofree PxValue *names = px_bind_texts(&binder, tasks, n);
  return run_for_places(&binder, n, ret_waiting, error);
}

/* ---- changing */

#define REMOTE_COLUMNS 5

/* Of attachment_remote.sql and attachments_remote.sql, but for the time. */
static void remote_values(gconstpointer row, PxValue *ret_values) {
  const PxAttachment *attachment = row;
  const PxValue values[REMOTE_COLUMNS] = {px_value_string(px_remote_action_name(attachment->remote_action)), px_value_string(attachment->remote_held),
                                          px_value_string(attachment->remote_key), px_value_string(attachment->moved_to),
                                          px_value_integer(attachment->id)};
  memcpy(ret_values, values, sizeof values);
}

bool px_attachment_store_remote(PxDb *db, const PxAttachment *attachment, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_remote", &binder, error))
    return false;
  px_bind_integer(&binder, now);
  px_bind_row(&binder, attachment, REMOTE_COLUMNS, remote_values);
  return px_run_bound(&binder, error);
}

bool px_attachments_store_remote(PxDb *db, PxAttachment *const *attachments, size_t n, int64_t now, GError **error) {
  if (n && px_db_dialect(db) == PX_DIALECT_POSTGRES) {
    PxBinder binder;
    if (!px_queue_statement(db, "attachments_remote", &binder, error))
      return false;
    px_bind_integer(&binder, now);
    g_autofree PxValue *values = px_bind_rows(&binder, (const gconstpointer *)attachments, n, REMOTE_COLUMNS, remote_values);
    return px_run_bound(&binder, error);
  }
  for (size_t i = 0; i < n; i++)
    if (!px_attachment_store_remote(db, attachments[i], now, error))
      return false;
  return true;
}

bool px_attachment_set_state(PxDb *db, int64_t id, PxState state, const char *why, const char *moved_to, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_state", &binder, error))
    return false;
  px_bind_text(&binder, px_state_name(state));
  px_bind_text(&binder, why);
  px_bind_text(&binder, moved_to);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
}

bool px_attachment_since(PxDb *db, const char *task, int64_t since, int64_t *ret_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_since", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_integer(&binder, since);
  return px_run_for_id(&binder, ret_id, error);
}
