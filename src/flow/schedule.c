/* SPDX-License-Identifier: Apache-2.0 */
/* What is due is queued. Each decision is a row (task, kind of job, time) and its job, in one transaction: however many schedulers look, and wherever
 * one is killed, a time is due once. */
#include "flow/flow_private.h"

#include "base/hook.h"

#define LATE (5 * G_TIME_SPAN_MINUTE)         /* what is later was missed: nothing was running when it was due */
#define WAIT_FOR_RUN (5 * G_TIME_SPAN_SECOND) /* catch_up: all looks so often whether the run before has ended */
#define MOST_MISSED (31 * G_TIME_SPAN_DAY)    /* catch_up: all goes back so far */

/* One schedule of a task and the job that is due by it. */
typedef struct {
  const PxTask *task;
  const PxSchedule *schedule;
  const char *kind;
  PxCatchUp catch_up;
} Entry;

#define MOST_ENTRIES 4

static size_t entries_of(const PxTask *task, Entry ret_entries[MOST_ENTRIES]) {
  size_t n = 0;
  if (task->schedule)
    ret_entries[n++] = (Entry){task, task->schedule, px_work_task_kind(task), task->catch_up};
  if (task->process_schedule)
    ret_entries[n++] = (Entry){task, task->process_schedule, "process", task->catch_up};
  if (task->upload_schedule)
    ret_entries[n++] = (Entry){task, task->upload_schedule, "process", task->catch_up};
  if (task->expect && px_expect_schedule(task->expect))
    ret_entries[n++] = (Entry){task, px_expect_schedule(task->expect), "expect", PX_CATCH_UP_ONCE};
  return n;
}

/* What must stay the same for times to be counted on. */
static char *text_of(const PxProject *project, const Entry *entry) {
  return g_strdup_printf("%s (%s)", px_schedule_text(entry->schedule), g_time_zone_get_identifier(project->timezone));
}

static bool is_going(const PxProject *project, const Entry *entry, bool *ret_going, GError **error) {
  g_autoptr(PxJob) job = px_work_new_job(project, entry->kind, entry->task->name, entry->task->name);
  int64_t id;
  if (!px_job_of_identity(project->db, job->identity, &id, error))
    return false;
  *ret_going = id != 0;
  return true;
}

/* What becomes of the times since the last one; ret_due->due 0: nothing yet. */
static bool judge(const PxProject *project, const Entry *entry, int64_t last, int64_t now, PxDue *ret_due, GError **error) {
  bool all = entry->catch_up == PX_CATCH_UP_ALL;
  bool going;
  if (all)
    ret_due->due = px_schedule_next(entry->schedule, project->timezone, MAX(last, now - MOST_MISSED));
  else
    ret_due->due = px_schedule_latest(entry->schedule, project->timezone, last, now);
  if (!ret_due->due || ret_due->due > now) {
    ret_due->due = 0;
    return true;
  }
  if (!is_going(project, entry, &going, error))
    return false;
  if (going && all)
    ret_due->due = 0;
  else if (entry->catch_up == PX_CATCH_UP_NONE && now - ret_due->due > LATE)
    ret_due->state = PX_DUE_MISSED;
  else
    ret_due->state = going ? PX_DUE_SKIPPED : PX_DUE_QUEUED;
  return true;
}

static bool enqueue(const PxProject *project, const Entry *entry, int64_t now, GError **error) {
  if (strcmp(entry->kind, "expect") == 0)
    return px_expect_enqueue(project, entry->task, now, error);
  g_autoptr(PxJob) job = px_work_new_job(project, entry->kind, entry->task->name, entry->task->name);
  return px_job_enqueue(project->db, job, now, error);
}

/* In a transaction. */
static bool store(const PxProject *project, const Entry *entry, const PxDue *due, int64_t now, GError **error) {
  bool added;
  if (!px_due_add(project->db, entry->task->name, entry->kind, due, now, &added, error))
    return false;
  if (!added)
    return true;
  if (due->state == PX_DUE_QUEUED && !enqueue(project, entry, now, error))
    return false;
  return px_due_tidy(project->db, entry->task->name, entry->kind, now, error);
}

/* In a transaction; *ret_again: there may be more. */
static bool decide_now(const PxProject *project, const Entry *entry, const char *text, int64_t now, bool *ret_again, GError **error) {
  g_auto(PxDue) last = {0};
  g_auto(PxDue) due = {.schedule = g_strdup(text)};
  *ret_again = false;
  if (!px_due_last(project->db, entry->task->name, entry->kind, now, &last, error))
    return false;
  if (!last.due || strcmp(last.schedule, text) != 0) {
    due.due = last.due == now ? now + 1 : now;
    return store(project, entry, &due, now, error);
  }
  if (!judge(project, entry, last.due, now, &due, error))
    return false;
  *ret_again = due.due != 0;
  return !due.due || store(project, entry, &due, now, error);
}

/* Decides what is due by one schedule; *ret_next is when the next is, 0: never. */
static bool look_at(const PxProject *project, const Entry *entry, int64_t now, int64_t *ret_next, GError **error) {
  g_autofree char *text = text_of(project, entry);
  for (bool again = true; again;) {
    g_auto(PxDue) last = {0};
    if (!px_due_last(project->db, entry->task->name, entry->kind, now, &last, error))
      return false;
    bool counts = last.due && strcmp(last.schedule, text) == 0;
    *ret_next = px_schedule_next(entry->schedule, project->timezone, counts ? last.due : now);
    if (counts && (!*ret_next || *ret_next > now))
      return true;
    if (!px_db_begin(project->db, PX_TX_WRITE, error))
      return false;
    if (!px_transaction_end(project->db, decide_now(project, entry, text, now, &again, error), error))
      return false;
    px_hook("schedule-decided");
  }
  if (*ret_next && *ret_next <= now)
    *ret_next = now + WAIT_FOR_RUN;
  return true;
}

/* Since when the job that is due has waited to be begun; 0: it is not waiting, or is tried again. */
static bool queued_since(const PxProject *project, const Entry *entry, int64_t *ret_since, GError **error) {
  g_autoptr(PxJob) identity = px_work_new_job(project, entry->kind, entry->task->name, entry->task->name);
  int64_t id;
  *ret_since = 0;
  if (!px_job_of_identity(project->db, identity->identity, &id, error))
    return false;
  if (!id)
    return true;
  g_autoptr(PxJob) job = px_job_get(project->db, id, error);
  if (job && job->attempt == 0)
    *ret_since = job->eta;
  return job != NULL;
}

static bool late_by(const PxProject *project, const Entry *entry, int64_t now, int64_t *ret_late, GError **error) {
  g_autofree char *text = text_of(project, entry);
  g_auto(PxDue) last = {0};
  int64_t since;
  if (!px_due_last(project->db, entry->task->name, entry->kind, now, &last, error) || !queued_since(project, entry, &since, error))
    return false;
  if (!last.due || strcmp(last.schedule, text) != 0)
    return true;
  int64_t next = px_schedule_next(entry->schedule, project->timezone, last.due);
  if (!since && next && next < now)
    since = next;
  if (since)
    *ret_late = MAX(*ret_late, now - since);
  return true;
}

bool px_schedule_late(const PxProject *project, const PxTask *task, int64_t now, int64_t *ret_late, GError **error) {
  Entry entries[MOST_ENTRIES];
  size_t n = entries_of(task, entries);
  bool done = true;
  *ret_late = 0;
  for (size_t i = 0; done && i < n; i++)
    done = late_by(project, &entries[i], now, ret_late, error);
  return done;
}

/* When it runs again, counting begins anew. */
static bool forget(const PxProject *project, const Entry *entry, int64_t now, GError **error) {
  g_auto(PxDue) last = {0};
  if (!px_due_last(project->db, entry->task->name, entry->kind, now, &last, error))
    return false;
  if (!last.due)
    return true;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  return px_transaction_end(project->db, px_due_forget(project->db, entry->task->name, entry->kind, error), error);
}

bool px_schedule_forget(PxProject *project, const PxTask *task, GError **error) {
  Entry entries[MOST_ENTRIES];
  size_t n = entries_of(task, entries);
  bool done = true;
  for (size_t i = 0; done && i < n; i++)
    done = px_due_forget(project->db, task->name, entries[i].kind, error);
  return done;
}

bool px_schedules_tick(PxProject *project, int64_t now, int64_t *ret_next, GError **error) {
  int64_t first = 0;
  for (size_t i = 0; i < px_tasks_count(project->tasks); i++) {
    const PxTask *task = px_tasks_at(project->tasks, i);
    Entry entries[MOST_ENTRIES];
    size_t n = entries_of(task, entries);
    g_auto(PxTaskState) state = {0};
    if (n && !px_task_state_get(project->db, task->name, &state, error))
      return false;
    bool runs = px_task_runs(task, &state);
    for (size_t k = 0; k < n; k++) {
      int64_t next = 0;
      if (!(runs ? look_at(project, &entries[k], now, &next, error) : forget(project, &entries[k], now, error)))
        return false;
      if (next && (!first || next < first))
        first = next;
    }
  }
  *ret_next = first;
  return true;
}
