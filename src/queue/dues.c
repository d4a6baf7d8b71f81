/* SPDX-License-Identifier: Apache-2.0 */
/* When tasks were due, and what became of it. */
#include "queue/queue_private.h"

static const char *const names[] = {"begin", "queued", "skipped", "missed"};

const char *px_due_state_name(PxDueState state) {
  return names[state];
}

void px_due_done(PxDue *due) {
  g_clear_pointer(&due->schedule, g_free);
}

bool px_due_last(PxDb *db, const char *task, const char *kind, int64_t until, PxDue *ret_due, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "due_last", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, kind);
  px_bind_integer(&binder, until);
  PxStep step = px_stmt_step(binder.stmt, error);
  if (step == PX_STEP_ERROR)
    return false;
  *ret_due = (PxDue){0};
  if (step == PX_STEP_DONE)
    return true;
  PxColumns columns = {.stmt = binder.stmt};
  ret_due->due = px_column_integer(&columns);
  ret_due->state = (PxDueState)px_column_word(&columns, names, G_N_ELEMENTS(names));
  ret_due->schedule = px_column_text(&columns);
  px_stmt_reset(binder.stmt);
  return true;
}

bool px_due_add(PxDb *db, const char *task, const char *kind, const PxDue *due, int64_t now, bool *ret_added, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "due_add", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, kind);
  px_bind_integer(&binder, due->due);
  px_bind_text(&binder, names[due->state]);
  px_bind_text(&binder, due->schedule);
  px_bind_integer(&binder, now);
  int64_t added;
  if (!px_run_for_id(&binder, &added, error))
    return false;
  *ret_added = added != 0;
  return !added || due->state == PX_DUE_BEGIN || px_counter_add(db, PX_COUNT_DUE, kind, task, names[due->state], 1, 0, error);
}

bool px_due_tidy(PxDb *db, const char *task, const char *kind, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "due_tidy", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, kind);
  px_bind_integer(&binder, now + G_TIME_SPAN_DAY);
  px_bind_integer(&binder, now - G_TIME_SPAN_DAY);
  px_bind_text(&binder, task);
  px_bind_text(&binder, kind);
  px_bind_integer(&binder, now);
  return px_run_bound(&binder, error);
}

bool px_due_forget(PxDb *db, const char *task, const char *kind, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "due_forget", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, kind);
  return px_run_bound(&binder, error);
}
