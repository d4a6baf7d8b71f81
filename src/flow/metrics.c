/* SPDX-License-Identifier: Apache-2.0 */
/* Our tables and counters in the text format of Prometheus 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
#include "flow/metrics.h"

#include "flow/overview.h"
#include "px-config.h"
#include "queue/counters.h"

#define PREFIX "pattimpex_"
#define SECOND 1e6 /* microseconds */

/* ---- the format */

static void append_escaped(GString *out, const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  for (const char *p = valid; *p; p++) {
    if (*p == '\n')
      g_string_append(out, "\\n");
    else if (*p == '\\' || *p == '"')
      g_string_append_printf(out, "\\%c", *p);
    else
      g_string_append_c(out, *p);
  }
}

static void begin(GString *out, const char *name, const char *type, const char *help) {
  g_string_append_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

typedef struct {
  const char *name; /* NULL: no such label */
  const char *value;
} Label;

static void begin_sample(GString *out, const char *name, const char *suffix, const Label *labels, size_t n) {
  char between = '{';
  g_string_append_printf(out, PREFIX "%s%s", name, suffix);
  for (size_t i = 0; i < n; i++) {
    if (!labels[i].name)
      continue;
    g_string_append_printf(out, "%c%s=\"", between, labels[i].name);
    append_escaped(out, labels[i].value);
    g_string_append_c(out, '"');
    between = ',';
  }
  g_string_append(out, between == ',' ? "} " : " ");
}

static void append_count(GString *out, uint64_t n) {
  g_string_append_printf(out, "%" G_GUINT64_FORMAT "\n", n);
}

/* Whatever the locale. */
static void append_seconds(GString *out, double microseconds) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf(out, "%s\n", g_ascii_formatd(text, sizeof text, "%.6f", microseconds / SECOND));
}

static void count(GString *out, const char *name, const Label *labels, size_t n_labels, uint64_t n) {
  begin_sample(out, name, "", labels, n_labels);
  append_count(out, n);
}

static void seconds(GString *out, const char *name, const Label *labels, size_t n_labels, int64_t microseconds) {
  begin_sample(out, name, "", labels, n_labels);
  append_seconds(out, (double)microseconds);
}

/* ---- what is so now */

static void write_workers(GString *out, const PxOverview *overview) {
  static const PxWorkerState states[] = {PX_WORKER_IDLE, PX_WORKER_BUSY, PX_WORKER_DEAD};
  uint64_t n[G_N_ELEMENTS(states)] = {0};
  for (guint i = 0; i < overview->workers->len; i++) {
    const PxWorkerOverview *worker = overview->workers->pdata[i];
    if (worker->serves)
      n[worker->state]++;
  }
  begin(out, "workers", "gauge", "Workers of serve and worker by what they do; dead ones have left a job behind.");
  for (size_t i = 0; i < G_N_ELEMENTS(states); i++)
    count(out, "workers", &(Label){"state", px_worker_state_name(states[i])}, 1, n[states[i]]);
  begin(out, "scheduler_up", "gauge", "1 while a scheduler lives that starts tasks when they are due.");
  count(out, "scheduler_up", NULL, 0, overview->scheduler_alive);
}

static void write_queue(GString *out, const PxOverview *overview) {
  begin(out, "jobs", "gauge", "Jobs that have not ended well: started, due, later (to be begun or tried again), waiting (for other jobs), failed.");
  for (guint i = 0; i < overview->channels->len; i++) {
    const PxChannelTally *tally = overview->channels->pdata[i];
    const struct {
      const char *state;
      uint64_t n;
    } all[] = {{"started", tally->started}, {"due", tally->due}, {"later", tally->later}, {"waiting", tally->waiting}, {"failed", tally->failed}};
    for (size_t k = 0; k < G_N_ELEMENTS(all); k++)
      count(out, "jobs", (const Label[]){{"channel", tally->channel}, {"state", all[k].state}}, 2, all[k].n);
  }
  begin(out, "jobs_oldest_due_seconds", "gauge", "For how long the oldest job that is due has been so.");
  for (guint i = 0; i < overview->channels->len; i++) {
    const PxChannelTally *tally = overview->channels->pdata[i];
    seconds(out, "jobs_oldest_due_seconds", &(Label){"channel", tally->channel}, 1, tally->oldest_due ? overview->now - tally->oldest_due : 0);
  }
  begin(out, "failures", "gauge", "What has failed and waits for a person: jobs, and files without a failed job.");
  count(out, "failures", &(Label){"subject", "job"}, 1, overview->failed_jobs);
  count(out, "failures", &(Label){"subject", "file"}, 1, overview->failed - overview->failed_jobs);
}

static void write_times(GString *out, const PxOverview *overview) {
  begin(out, "task_last_run_timestamp_seconds", "gauge", "When the task last began; not there before its first run.");
  for (guint i = 0; i < overview->tasks->len; i++) {
    const PxTaskOverview *one = overview->tasks->pdata[i];
    if (one->status.last_run)
      seconds(out, "task_last_run_timestamp_seconds", &(Label){"task", one->task->name}, 1, one->status.last_run);
  }
  begin(out, "task_last_run_ok", "gauge", "1 when the last run of the task ended well, 0 when it failed or is tried again.");
  for (guint i = 0; i < overview->tasks->len; i++) {
    const PxTaskOverview *one = overview->tasks->pdata[i];
    if (one->status.last_run)
      count(out, "task_last_run_ok", &(Label){"task", one->task->name}, 1, one->status.last_state == PX_STATE_DONE);
  }
  begin(out, "task_next_run_timestamp_seconds", "gauge", "When the task is due next; not there without a schedule.");
  for (guint i = 0; i < overview->tasks->len; i++) {
    const PxTaskOverview *one = overview->tasks->pdata[i];
    if (one->status.next_run)
      seconds(out, "task_next_run_timestamp_seconds", &(Label){"task", one->task->name}, 1, one->status.next_run);
  }
  begin(out, "schedule_lag_seconds", "gauge", "How long ago the task was due by its schedule while nobody has begun it; 0 when nothing is late.");
  for (guint i = 0; i < overview->tasks->len; i++) {
    const PxTaskOverview *one = overview->tasks->pdata[i];
    if (one->status.next_run || one->status.next_held)
      seconds(out, "schedule_lag_seconds", &(Label){"task", one->task->name}, 1, one->late);
  }
}

static void write_tasks(GString *out, const PxOverview *overview) {
  begin(out, "task_active", "gauge", "1 when the task runs by itself, 0 when it is switched off.");
  for (guint i = 0; i < overview->tasks->len; i++) {
    const PxTaskOverview *one = overview->tasks->pdata[i];
    count(out, "task_active", (const Label[]){{"task", one->task->name}, {"kind", px_task_kind_name(one->task->kind)}}, 2, one->status.runs);
  }
  begin(out, "files", "gauge", "Files of a task that are pending, or that have failed and are not settled.");
  for (guint i = 0; i < overview->tasks->len; i++) {
    const PxTaskOverview *one = overview->tasks->pdata[i];
    count(out, "files", (const Label[]){{"task", one->task->name}, {"state", "pending"}}, 2, one->pending);
    count(out, "files", (const Label[]){{"task", one->task->name}, {"state", "failed"}}, 2, one->failed);
  }
  write_times(out, overview);
}

/* ---- what has happened */

typedef enum { NUMBER, AMOUNT, SECONDS } Unit;

static const struct {
  const char *name, *help;
  PxCounter what;
  Unit unit;
  const char *kind, *task, *outcome; /* the labels; NULL: none */
} counters[] = {
  {"jobs_ended_total", "Jobs that a worker ended.", PX_COUNT_JOB, NUMBER, "kind", "task", "outcome"},
  {"job_retries_total", "Tries of jobs that failed for a reason that may pass.", PX_COUNT_RETRY, NUMBER, "kind", "task", NULL},
  {"worker_deaths_total", "Workers that died at a job.", PX_COUNT_DEATH, NUMBER, "kind", "task", NULL},
  {"files_ended_total", "Files whose import or export ended, once for each try.", PX_COUNT_FILE, NUMBER, "kind", "task", "outcome"},
  {"file_seconds_total", "Time that files took from the start of their import or export to its end.", PX_COUNT_FILE, SECONDS, "kind", "task",
   "outcome"},
  {"rows_total", "Rows of files by what became of them.", PX_COUNT_ROWS, NUMBER, "kind", "task", "outcome"},
  {"fetched_files_total", "Files taken from a storage.", PX_COUNT_FETCHED, NUMBER, "storage", "task", NULL},
  {"fetched_bytes_total", "Bytes of the files taken from a storage.", PX_COUNT_FETCHED, AMOUNT, "storage", "task", NULL},
  {"sent_files_total", "Files put into a storage.", PX_COUNT_SENT, NUMBER, "storage", "task", NULL},
  {"sent_bytes_total", "Bytes of the files put into a storage.", PX_COUNT_SENT, AMOUNT, "storage", "task", NULL},
  {"storage_errors_total", "Times that a storage did not do what it was asked for.", PX_COUNT_STORAGE_ERROR, NUMBER, "storage", "task", NULL},
  {"fetch_problems_total", "Files that could not be taken or put away.", PX_COUNT_FETCH_PROBLEM, NUMBER, NULL, "task", NULL},
  {"schedule_due_total", "Times that were due by a schedule: queued, skipped (the run before was still going), missed.", PX_COUNT_DUE, NUMBER, "kind",
   "task", "outcome"},
};

static void write_counter(GString *out, const GPtrArray *counts, size_t at) {
  begin(out, counters[at].name, "counter", counters[at].help);
  for (guint i = 0; i < counts->len; i++) {
    const PxCount *one = counts->pdata[i];
    if (one->what != counters[at].what)
      continue;
    const Label labels[] = {{counters[at].kind, one->kind}, {counters[at].task, one->task}, {counters[at].outcome, one->outcome}};
    begin_sample(out, counters[at].name, "", labels, G_N_ELEMENTS(labels));
    if (counters[at].unit == SECONDS)
      append_seconds(out, (double)one->amount);
    else
      append_count(out, counters[at].unit == AMOUNT ? one->amount : one->n);
  }
}

/* The counts of one kind of jobs, from first on, as a histogram. Returns the first one behind them. */
static guint write_durations_of(GString *out, const GPtrArray *counts, guint first) {
  static const char name[] = "job_duration_seconds";
  const PxCount *one = counts->pdata[first];
  const char *kind = one->kind;
  uint64_t n[PX_N_COUNTER_BOUNDS] = {0};
  uint64_t all = 0;
  double took = 0;
  guint i = first;
  for (; i < counts->len; i++) {
    one = counts->pdata[i];
    if (one->what != PX_COUNT_JOB_TIME || strcmp(one->kind, kind) != 0)
      break;
    took += (double)one->amount;
    for (size_t k = 0; k < PX_N_COUNTER_BOUNDS; k++)
      if (strcmp(px_counter_bounds[k], one->outcome) == 0)
        n[k] += one->n;
  }
  for (size_t k = 0; k < PX_N_COUNTER_BOUNDS; k++) {
    all += n[k];
    begin_sample(out, name, "_bucket", (const Label[]){{"kind", kind}, {"le", px_counter_bounds[k]}}, 2);
    append_count(out, all);
  }
  begin_sample(out, name, "_sum", &(Label){"kind", kind}, 1);
  append_seconds(out, took);
  begin_sample(out, name, "_count", &(Label){"kind", kind}, 1);
  append_count(out, all);
  return i;
}

static void write_durations(GString *out, const GPtrArray *counts) {
  begin(out, "job_duration_seconds", "histogram", "How long the last try of a job took.");
  for (guint i = 0; i < counts->len;)
    i = ((const PxCount *)counts->pdata[i])->what == PX_COUNT_JOB_TIME ? write_durations_of(out, counts, i) : i + 1;
  begin(out, "job_wait_seconds", "summary", "How long jobs that ended had been due before a worker began them.");
  for (guint i = 0; i < counts->len; i++) {
    const PxCount *one = counts->pdata[i];
    if (one->what != PX_COUNT_JOB_WAIT)
      continue;
    begin_sample(out, "job_wait_seconds", "_sum", &(Label){"kind", one->kind}, 1);
    append_seconds(out, (double)one->amount);
    begin_sample(out, "job_wait_seconds", "_count", &(Label){"kind", one->kind}, 1);
    append_count(out, one->n);
  }
}

char *px_metrics_text(const PxProject *project, GError **error) {
  const PxOverviewOptions options = {.failures = 1};
  g_autoptr(PxOverview) overview = px_overview_read(project, &options, error);
  g_autoptr(GPtrArray) counts = overview ? px_counter_list(project->db, error) : NULL;
  if (!counts)
    return NULL;
  GString *out = g_string_new(NULL);
  begin(out, "info", "gauge", "Always 1; the version of the program.");
  count(out, "info", &(Label){"version", PX_VERSION}, 1, 1);
  write_workers(out, overview);
  write_queue(out, overview);
  write_tasks(out, overview);
  for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
    write_counter(out, counts, i);
  write_durations(out, counts);
  return g_string_free(out, FALSE);
}
