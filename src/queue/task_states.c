/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of tasks besides the configuration, and which names have left something in our tables. */
#include "queue/queue_private.h"

void px_task_state_done(PxTaskState *state) {
  g_clear_pointer(&state->last_error, g_free);
}

bool px_task_state_get(PxDb *db, const char *task, PxTaskState *ret_state, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "task_state_get", &binder, error))
    return false;
  px_bind_text(&binder, task);
  PxStep step = px_stmt_step(binder.stmt, error);
  if (step == PX_STEP_ERROR)
    return false;
  *ret_state = (PxTaskState){.enabled = PX_ENABLED_AS_CONFIGURED};
  if (step == PX_STEP_DONE)
    return true;
  PxValue enabled = px_stmt_value(binder.stmt, 0);
  if (enabled.kind == PX_INTEGER)
    ret_state->enabled = enabled.integer ? PX_ENABLED_YES : PX_ENABLED_NO;
  PxColumns columns = {.stmt = binder.stmt, .next = 1};
  ret_state->last_run = px_column_integer(&columns);
  ret_state->last_state = px_column_state(&columns);
  ret_state->last_error = px_column_text(&columns);
  px_stmt_reset(binder.stmt);
  return true;
}

bool px_task_state_enable(PxDb *db, const char *task, PxEnabled enabled, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "task_state_enable", &binder, error))
    return false;
  PxValue value = enabled == PX_ENABLED_AS_CONFIGURED ? px_value_null() : px_value_integer(enabled);
  px_bind_text(&binder, task);
  px_stmt_bind(binder.stmt, binder.next++, &value);
  return px_run_bound(&binder, error);
}

bool px_task_state_ran(PxDb *db, const char *task, int64_t at, PxState state, const char *why, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "task_state_ran", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_integer(&binder, at);
  px_bind_text(&binder, px_state_name(state));
  px_bind_text(&binder, why);
  return px_run_bound(&binder, error);
}

/* ---- names with history */

static const char *const history_statements[] = {"history_tasks", "history_patterns", "history_storages"};

static const char *const rename_statements[][5] = {
  {"rename_attachment_task", "rename_attachment_upload_task", "rename_file_task", "rename_notice_task", NULL},
  {"rename_attachment_pattern", "rename_file_pattern", NULL},
  {"rename_attachment_storage", NULL},
};

char **px_history_names(PxDb *db, PxHistoryKind kind, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, history_statements[kind], &binder, error))
    return NULL;
  GPtrArray *names = px_read_rows(&binder, px_read_text, g_free, error);
  if (!names)
    return NULL;
  g_ptr_array_add(names, NULL);
  return (char **)g_ptr_array_free(names, FALSE);
}

static bool rename_rows(PxDb *db, const char *statement, const char *from, const char *to, bool to_again, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, error))
    return false;
  px_bind_text(&binder, to);
  px_bind_text(&binder, from);
  if (to_again)
    px_bind_text(&binder, to);
  return px_run_bound(&binder, error);
}

/* Queued jobs keep others of their kind away by the task's name. */
static bool rename_jobs(PxDb *db, const char *from, const char *to, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "rename_job_task", &binder, error))
    return false;
  const char *const names[] = {to, from, to, to, from};
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    px_bind_text(&binder, names[i]);
  return px_run_bound(&binder, error);
}

bool px_history_rename(PxDb *db, PxHistoryKind kind, const char *from, const char *to, GError **error) {
  for (const char *const *statement = rename_statements[kind]; *statement; statement++)
    if (!rename_rows(db, *statement, from, to, false, error))
      return false;
  return kind != PX_HISTORY_TASK ||
         (rename_jobs(db, from, to, error) && rename_rows(db, "rename_task_state_task", from, to, true, error) &&
          rename_rows(db, "rename_due_task", from, to, true, error) && rename_rows(db, "rename_mail_task", from, to, true, error));
}
