/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/counters.h"

#include "queue/queue_private.h"

/* In the order of the names, so that transactions take the rows in one order. */
static const char *const subjects[PX_N_COUNTERS] = {"death",    "due",      "fetch_problem", "fetched", "file", "job",
                                                    "job_time", "job_wait", "retry",         "rows",    "sent", "storage_error"};
const char *const px_counter_bounds[PX_N_COUNTER_BOUNDS] = {"0.1", "1", "10", "60", "600", "3600", "+Inf"};

#define SHARDS 32

/* Rows that several processes of a server would wait for one another at; SQLite has one writer at a time anyway. */
static void bind_shard(PxDb *db, PxBinder *binder) {
  static int64_t shard = -1;
  if (shard < 0)
    shard = g_random_int_range(0, SHARDS);
  px_bind_integer(binder, px_db_dialect(db) == PX_DIALECT_POSTGRES ? shard : 0);
}

bool px_counter_add(PxDb *db, PxCounter what, const char *kind, const char *task, const char *outcome, uint64_t n, uint64_t amount, GError **error) {
  PxBinder binder;
  if (n == 0)
    return true;
  if (!px_queue_statement(db, "counter_add", &binder, error))
    return false;
  px_bind_text(&binder, subjects[what]);
  px_bind_text(&binder, kind ? kind : "");
  px_bind_text(&binder, task ? task : "");
  px_bind_text(&binder, outcome ? outcome : "");
  bind_shard(db, &binder);
  px_bind_integer(&binder, (int64_t)n);
  px_bind_integer(&binder, (int64_t)amount);
  return px_run_bound(&binder, error);
}

bool px_counter_job_ended(PxDb *db, int64_t id, PxState state, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "counter_job", &binder, error))
    return false;
  bind_shard(db, &binder);
  px_bind_text(&binder, px_state_name(state));
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
}

/* ---- the ends of several jobs */

typedef struct {
  const char *subject, *kind, *task, *outcome;
  int64_t n, amount;
} Sum;

static guint hash_sum(gconstpointer key) {
  const Sum *sum = key;
  return g_str_hash(sum->subject) ^ g_str_hash(sum->kind) * 31 ^ g_str_hash(sum->task) * 37 ^ g_str_hash(sum->outcome) * 41;
}

static gboolean equal_sums(gconstpointer a, gconstpointer b) {
  const Sum *one = a;
  const Sum *other = b;
  return g_str_equal(one->subject, other->subject) && g_str_equal(one->kind, other->kind) && g_str_equal(one->task, other->task) &&
         g_str_equal(one->outcome, other->outcome);
}

static void add_to(GHashTable *sums, const Sum *what) {
  Sum *sum = g_hash_table_lookup(sums, what);
  if (!sum) {
    sum = g_memdup2(what, sizeof *what);
    sum->n = sum->amount = 0;
    g_hash_table_add(sums, sum);
  }
  sum->n += what->n;
  sum->amount += what->amount;
}

static const char *bound_of(int64_t took) {
  size_t i = 0;
  while (i < PX_N_COUNTER_BOUNDS - 1 && (double)took > g_ascii_strtod(px_counter_bounds[i], NULL) * G_USEC_PER_SEC)
    i++;
  return px_counter_bounds[i];
}

/* As counter_job.sql does. */
static void add_job(GHashTable *sums, const PxJob *job, PxState state, int64_t now) {
  int64_t took = MAX(now - job->started, 0);
  int64_t due = MAX(job->eta, job->created);
  const Sum of_job[] = {
    {subjects[PX_COUNT_JOB], job->kind, job->task ? job->task : "", px_state_name(state), 1, took},
    {subjects[PX_COUNT_JOB_TIME], job->kind, "", bound_of(took), 1, took},
    {subjects[PX_COUNT_JOB_WAIT], job->kind, "", "", 1, MAX(job->started - due, 0)},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(of_job); i++)
    add_to(sums, &of_job[i]);
}

bool px_counter_jobs_ended(PxDb *db, const PxJob *const *jobs, size_t n, PxState state, int64_t now, GError **error) {
  g_autoptr(GHashTable) sums = g_hash_table_new_full(hash_sum, equal_sums, g_free, NULL);
  for (size_t i = 0; i < n; i++)
    add_job(sums, jobs[i], state, now);
  guint n_sums;
  g_autofree gpointer *all = g_hash_table_get_keys_as_array(sums, &n_sums);
  enum { SUBJECT, KIND, TASK, OUTCOME, N, AMOUNT, COLUMNS };
  g_autofree PxValue *values = g_new(PxValue, (size_t)n_sums * COLUMNS);
  for (guint i = 0; i < n_sums; i++) {
    const Sum *sum = all[i];
    values[SUBJECT * n_sums + i] = px_value_string(sum->subject);
    values[KIND * n_sums + i] = px_value_string(sum->kind);
    values[TASK * n_sums + i] = px_value_string(sum->task);
    values[OUTCOME * n_sums + i] = px_value_string(sum->outcome);
    values[N * n_sums + i] = px_value_integer(sum->n);
    values[AMOUNT * n_sums + i] = px_value_integer(sum->amount);
  }
  PxBinder binder;
  if (!px_queue_statement(db, "counter_add_all", &binder, error))
    return false;
  bind_shard(db, &binder);
  for (unsigned column = 0; column < COLUMNS; column++)
    px_stmt_bind_array(binder.stmt, binder.next++, values + (size_t)column * n_sums, n_sums);
  return px_run_bound(&binder, error);
}

bool px_counter_file_ended(PxDb *db, int64_t file_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "counter_file", &binder, error))
    return false;
  bind_shard(db, &binder);
  px_bind_integer(&binder, file_id);
  return px_run_bound(&binder, error);
}

bool px_counter_rows(PxDb *db, int64_t file_id, const PxCounts *counts, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "counter_rows", &binder, error))
    return false;
  bind_shard(db, &binder);
  const uint64_t all[] = {counts->created, counts->updated, counts->unchanged, counts->failed, counts->skipped};
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
    px_bind_integer(&binder, (int64_t)all[i]);
  px_bind_integer(&binder, file_id);
  return px_run_bound(&binder, error);
}

/* ---- reading */

static void free_count(gpointer row) {
  PxCount *count = row;
  g_free(count->kind);
  g_free(count->task);
  g_free(count->outcome);
  g_free(count);
}

/* A newer program may count what this one does not know: left out. */
static bool find_subject(const char *name, PxCounter *ret_what) {
  for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++)
    if (strcmp(subjects[i], name) == 0) {
      *ret_what = (PxCounter)i;
      return true;
    }
  return false;
}

GPtrArray *px_counter_list(PxDb *db, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "counter_list", &binder, error))
    return NULL;
  g_autoptr(GPtrArray) counts = g_ptr_array_new_with_free_func(free_count);
  PxStep step;
  while ((step = px_stmt_step(binder.stmt, error)) == PX_STEP_ROW) {
    PxColumns columns = {.stmt = binder.stmt};
    g_autofree char *subject = px_column_text(&columns);
    PxCounter what;
    if (!find_subject(subject, &what))
      continue;
    PxCount *count = g_new0(PxCount, 1);
    count->what = what;
    count->kind = px_column_text(&columns);
    count->task = px_column_text(&columns);
    count->outcome = px_column_text(&columns);
    count->n = (uint64_t)px_column_integer(&columns);
    count->amount = (uint64_t)px_column_integer(&columns);
    g_ptr_array_add(counts, count);
  }
  return step == PX_STEP_DONE ? g_steal_pointer(&counts) : NULL;
}
