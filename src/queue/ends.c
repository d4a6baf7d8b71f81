/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/ends.h"

#include "queue/queue_private.h"

/* One column of an array of ends. */
typedef PxValue (*ValueOf)(const PxEnd *end);

static PxValue id_of(const PxEnd *end) {
  return px_value_integer(end->job->id);
}

static PxValue attempt_of(const PxEnd *end) {
  return px_value_integer(end->job->attempt);
}

static PxValue error_of(const PxEnd *end) {
  return px_value_string(end->job->error);
}

static PxValue task_of(const PxEnd *end) {
  return px_value_string(end->job->task);
}

static PxValue started_of(const PxEnd *end) {
  return px_value_integer(end->job->started);
}

/* The ends that a statement is about. */
static size_t choose(PxEnd *ends, size_t n, PxEndState state, const PxEnd **chosen) {
  size_t n_chosen = 0;
  for (size_t i = 0; i < n; i++)
    if (ends[i].state == state)
      chosen[n_chosen++] = &ends[i];
  return n_chosen;
}

static PxValue *column(const PxEnd *const *ends, size_t n, ValueOf value_of) {
  PxValue *values = g_new(PxValue, n);
  for (size_t i = 0; i < n; i++)
    values[i] = value_of(ends[i]);
  return values;
}

static bool has(const PxEnd *ends, size_t n, PxEndState state) {
  for (size_t i = 0; i < n; i++)
    if (ends[i].state == state)
      return true;
  return false;
}

static bool ask(PxDb *db, PxEnd *ends, size_t n, const PxEndOptions *options, GError **error) {
  return !options->may_end || options->may_end(db, ends, n, options->data, error);
}

/* A statement over two columns of ends. */
static bool run_over(PxDb *db, const char *statement, const PxEnd *const *ends, size_t n, ValueOf first, ValueOf second, GError **error) {
  g_autofree PxValue *firsts = column(ends, n, first);
  g_autofree PxValue *seconds = column(ends, n, second);
  PxBinder binder;
  if (n == 0)
    return true;
  if (!px_queue_statement(db, statement, &binder, error))
    return false;
  px_stmt_bind_array(binder.stmt, 0, firsts, n);
  px_stmt_bind_array(binder.stmt, 1, seconds, n);
  return px_run_bound(&binder, error);
}

/* ---- all at once */

/* Their rows are locked from here on, and others who want to know their ends wait. */
static bool end_all(PxDb *db, const PxWorker *worker, PxEnd *ends, size_t n, int64_t now, GError **error) {
  g_autofree const PxEnd **all = g_new(const PxEnd *, n);
  g_autoptr(GHashTable) by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
  for (size_t i = 0; i < n; i++) {
    ends[i].state = PX_END_NOT_OURS;
    all[i] = &ends[i];
    g_hash_table_insert(by_id, (gpointer)(uintptr_t)&ends[i].job->id, &ends[i]);
  }
  g_autofree PxValue *ids = column(all, n, id_of);
  g_autofree PxValue *attempts = column(all, n, attempt_of);
  PxBinder binder;
  if (!px_queue_statement(db, "job_end_all", &binder, error))
    return false;
  px_bind_integer(&binder, now);
  px_stmt_bind_array(binder.stmt, 1, ids, n);
  px_stmt_bind_array(binder.stmt, 2, attempts, n);
  px_stmt_bind_text(binder.stmt, 3, px_worker_name(worker));
  PxStep step;
  while ((step = px_stmt_step(binder.stmt, error)) == PX_STEP_ROW) {
    int64_t id = px_stmt_integer(binder.stmt, 0);
    PxEnd *end = g_hash_table_lookup(by_id, &id);
    end->state = PX_END_DONE;
  }
  return step == PX_STEP_DONE;
}

static bool count_all(PxDb *db, const PxEnd *const *ends, size_t n, int64_t now, GError **error) {
  g_autofree const PxJob **jobs = g_new(const PxJob *, n);
  for (size_t i = 0; i < n; i++)
    jobs[i] = ends[i]->job;
  return n == 0 || px_counter_jobs_ended(db, jobs, n, PX_STATE_DONE, now, error);
}

static bool meet_needs(PxDb *db, const PxEnd *const *ends, size_t n, GError **error) {
  g_autofree PxValue *ids = column(ends, n, id_of);
  PxBinder binder;
  if (n == 0)
    return true;
  if (!px_queue_statement(db, "job_need_met_all", &binder, error))
    return false;
  px_stmt_bind_array(binder.stmt, 0, ids, n);
  if (!px_run_bound(&binder, error))
    return false;
  if (px_db_changes(db) > 0)
    px_db_notify(db);
  return true;
}

/* In the order in which a job that ends alone takes its locks: its task's, those of counters, those of jobs that wait. */
static bool end_together(PxDb *db, const PxWorker *worker, PxEnd *ends, size_t n, const PxEndOptions *options, int64_t now, GError **error) {
  g_autofree const PxEnd **chosen = g_new(const PxEnd *, n);
  g_autofree const PxEnd **of_task = g_new(const PxEnd *, n);
  if (!end_all(db, worker, ends, n, now, error) || !ask(db, ends, n, options, error))
    return false;
  if (!has(ends, n, PX_END_DONE)) /* it is rolled back */
    return true;
  size_t n_chosen = choose(ends, n, PX_END_NOT_YET, chosen);
  if (!run_over(db, "job_not_ended", chosen, n_chosen, id_of, error_of, error))
    return false;
  n_chosen = choose(ends, n, PX_END_DONE, chosen);
  size_t n_of_task = 0;
  for (size_t i = 0; i < n_chosen; i++)
    if (chosen[i]->of_task)
      of_task[n_of_task++] = chosen[i];
  return run_over(db, "task_state_ran_all", of_task, n_of_task, task_of, started_of, error) && count_all(db, chosen, n_chosen, now, error) &&
         meet_needs(db, chosen, n_chosen, error);
}

/* ---- one after the other, where a statement costs next to nothing */

static bool fence(PxDb *db, PxEnd *end, GError **error) {
  g_autoptr(GError) problem = NULL;
  bool ours = px_job_fence(db, end->job, &problem);
  end->state = ours ? PX_END_DONE : PX_END_NOT_OURS;
  if (ours || g_error_matches(problem, PX_ERROR, PX_ERROR_FENCED))
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

static bool end_one(PxDb *db, const PxEnd *end, int64_t now, GError **error) {
  const PxJob *job = end->job;
  return (!end->of_task || px_task_state_ran(db, job->task, job->started, PX_STATE_DONE, NULL, error)) && px_job_done(db, job, now, error);
}

static bool end_each(PxDb *db, PxEnd *ends, size_t n, const PxEndOptions *options, int64_t now, GError **error) {
  for (size_t i = 0; i < n; i++)
    if (!fence(db, &ends[i], error))
      return false;
  if (!ask(db, ends, n, options, error))
    return false;
  for (size_t i = 0; i < n; i++)
    if (ends[i].state == PX_END_DONE && !end_one(db, &ends[i], now, error))
      return false;
  return true;
}

/* ---- */

/* In whose channels the worker has had a place until now; one that goes on still has it. */
static GPtrArray *channels_of(const PxEnd *ends, size_t n) {
  GPtrArray *channels = g_ptr_array_new();
  for (size_t i = 0; i < n; i++)
    if (ends[i].state != PX_END_NOT_OURS && !g_ptr_array_find_with_equal_func(channels, ends[i].job->channel, g_str_equal, NULL))
      g_ptr_array_add(channels, ends[i].job->channel);
  return channels;
}

static bool end_in_transaction(PxDb *db, const PxWorker *worker, PxEnd *ends, size_t n, const PxEndOptions *options, int64_t now, GError **error) {
  return px_db_dialect(db) == PX_DIALECT_POSTGRES ? end_together(db, worker, ends, n, options, now, error)
                                                  : end_each(db, ends, n, options, now, error);
}

static bool claim_along(PxDb *db, const PxWorker *worker, const PxEnd *ends, size_t n, const PxEndOptions *options, int64_t now, GError **error) {
  g_autoptr(GPtrArray) kept = channels_of(ends, n);
  return px_job_claim_along(db, worker, kept, options->tasks, now, error);
}

bool px_jobs_end(PxDb *db, const PxWorker *worker, PxEnd *ends, size_t n, const PxEndOptions *options, int64_t now, bool *ret_in_doubt,
                 GError **error) {
  bool holds = px_worker_held(worker)->len > 0;
  bool must_look = false;
  *ret_in_doubt = false;
  if (options->claims && !holds && !px_job_must_look(db, worker, &must_look, error))
    return false;
  if (!px_worker_renew(worker, db, error) || !px_db_begin(db, PX_TX_WRITE, error))
    return false;
  bool good = px_db_keep_plans(db, error) && end_in_transaction(db, worker, ends, n, options, now, error);
  if (good && !has(ends, n, PX_END_DONE)) {
    px_db_rollback(db);
    return true;
  }
  bool claims = good && options->claims && !holds && !must_look && !has(ends, n, PX_END_NOT_YET);
  good = good && (!claims || claim_along(db, worker, ends, n, options, now, error));
  if (good && px_db_commit(db, error))
    return true;
  if (!holds) {
    *ret_in_doubt = good && px_worker_held(worker)->len > 0;
    px_job_claim_failed(worker);
  }
  px_db_rollback(db);
  return false;
}
