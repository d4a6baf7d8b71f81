/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "command/command.h"
#include "command/list.h"
#include "command/open.h"
#include "command/output.h"
#include "command/watch.h"
#include "flow/overview.h"

#include <stdio.h>

#define FAILURES_SHOWN 5
#define EVERY (2 * G_TIME_SPAN_SECOND)
#define EVERY_LEAST (100 * G_TIME_SPAN_MILLISECOND)

static gboolean watch;
static gboolean check;
static char *every_text;
static char *since;
static int failures = FAILURES_SHOWN;

static const GOptionEntry OPTIONS[] = {
  {"watch", 'w', 0, G_OPTION_ARG_NONE, &watch, "Show it again and again, until q or Ctrl-C", NULL},
  {"every", 'n', 0, G_OPTION_ARG_FILENAME, &every_text, "With --watch: how often (default 2s)", "TIME"},
  {"check", 0, 0, G_OPTION_ARG_NONE, &check, "For monitoring: say only what is wrong; the exit status is 1 then", NULL},
  {"since", 0, 0, G_OPTION_ARG_FILENAME, &since, "Only failures since then: 2h, 2026-11-23, \"2026-11-23 08:30\"", "TIME"},
  {"failures", 'f', 0, G_OPTION_ARG_INT, &failures, "How many failures are listed at most (default 5; 0: all)", "N"},
  {NULL},
};

/* ---- as JSON */

static json_t *task_to_json(const PxTaskOverview *one, GTimeZone *timezone) {
  json_t *object = json_object();
  json_object_set_new(object, "task", px_json_text(one->task->name));
  json_object_set_new(object, "kind", px_json_text(px_task_kind_name(one->task->kind)));
  json_object_set_new(object, "runs", json_boolean(one->status.runs));
  json_object_set_new(object, "next_run", px_json_time(one->status.next_run, timezone));
  json_object_set_new(object, "next_held", px_json_time(one->status.next_held, timezone));
  json_object_set_new(object, "last_run", px_json_time(one->status.last_run, timezone));
  json_object_set_new(object, "last_state", px_json_text(one->status.last_run ? px_state_name(one->status.last_state) : NULL));
  json_object_set_new(object, "last_error", px_json_text(one->status.last_error));
  json_object_set_new(object, "late_seconds", json_integer(one->late / G_USEC_PER_SEC));
  json_object_set_new(object, "failed", px_json_count(one->failed));
  json_object_set_new(object, "pending", px_json_count(one->pending));
  json_object_set_new(object, "done", px_json_count(one->done));
  return object;
}

static json_t *id_or_null(int64_t id) {
  return id ? json_integer(id) : json_null();
}

static json_t *worker_to_json(const PxWorkerOverview *worker, int64_t now, GTimeZone *timezone) {
  json_t *object = json_object();
  json_object_set_new(object, "worker", px_json_text(worker->what));
  json_object_set_new(object, "name", px_json_text(worker->name));
  json_object_set_new(object, "host", px_json_text(worker->host));
  json_object_set_new(object, "pid", json_integer(worker->pid));
  json_object_set_new(object, "state", px_json_text(px_worker_state_name(worker->state)));
  json_object_set_new(object, "job", id_or_null(worker->job));
  json_object_set_new(object, "jobs", px_json_count(worker->n_jobs));
  json_object_set_new(object, "kind", px_json_text(worker->kind));
  json_object_set_new(object, "task", px_json_text(worker->task));
  json_object_set_new(object, "file", px_json_text(worker->file));
  json_object_set_new(object, "since", px_json_time(worker->since, timezone));
  json_object_set_new(object, "seconds", worker->job ? json_integer(MAX(now - worker->since, 0) / G_USEC_PER_SEC) : json_null());
  json_object_set_new(object, "doing", px_json_text(worker->doing));
  return object;
}

static json_t *channel_to_json(const PxChannelTally *tally, int64_t now) {
  json_t *object = json_object();
  json_object_set_new(object, "channel", px_json_text(tally->channel));
  json_object_set_new(object, "started", px_json_count(tally->started));
  json_object_set_new(object, "due", px_json_count(tally->due));
  json_object_set_new(object, "later", px_json_count(tally->later));
  json_object_set_new(object, "waiting", px_json_count(tally->waiting));
  json_object_set_new(object, "failed", px_json_count(tally->failed));
  json_object_set_new(object, "oldest_due_seconds", json_integer(tally->oldest_due ? (now - tally->oldest_due) / G_USEC_PER_SEC : 0));
  return object;
}

/* Why, in a sentence. Caller frees. */
static char *failure_text(const PxFailure *failure) {
  if (failure->error)
    return g_strdup(failure->error);
  if (failure->state == PX_STATE_REFUSED)
    return g_strdup("refused, nothing was changed");
  g_autofree char *failed = px_group_digits(failure->rows_failed);
  g_autofree char *rows = px_count_text(failure->rows, "row");
  return g_strdup_printf("%s of %s failed", failed, rows);
}

/* What a person can do about it. Caller frees. */
static char *failure_next(const PxFailure *failure, GTimeZone *timezone) {
  const char *subject = failure->subject;
  if (failure->state == PX_STATE_PENDING) {
    json_t *when = px_json_time(failure->eta, timezone);
    char *text = g_strdup_printf("tried again by itself at %.8s; pattimpex jobs %" G_GINT64_FORMAT " tells more",
                                 json_string_value(when) + strlen("2026-11-23T"), failure->id);
    json_decref(when);
    return text;
  }
  const char *or_not = g_str_equal(subject, "job") ? "cancel" : "set-done";
  return g_strdup_printf("pattimpex %ss %" G_GINT64_FORMAT " tells more; then pattimpex retry %s %" G_GINT64_FORMAT " or %s %s %" G_GINT64_FORMAT,
                         subject, failure->id, subject, failure->id, or_not, subject, failure->id);
}

static json_t *failure_to_json(const PxFailure *failure, GTimeZone *timezone) {
  g_autofree char *text = failure_text(failure);
  g_autofree char *next = failure_next(failure, timezone);
  json_t *object = json_object();
  json_object_set_new(object, "subject", px_json_text(failure->subject));
  json_object_set_new(object, "id", json_integer(failure->id));
  json_object_set_new(object, "kind", px_json_text(failure->kind));
  json_object_set_new(object, "state", px_json_text(px_state_name(failure->state)));
  json_object_set_new(object, "task", px_json_text(failure->task));
  json_object_set_new(object, "file", px_json_text(failure->name));
  json_object_set_new(object, "at", px_json_time(failure->at, timezone));
  json_object_set_new(object, "error", px_json_text(text));
  json_object_set_new(object, "next", px_json_text(next));
  return object;
}

static json_t *problems_to_json(const PxOverview *overview) {
  g_autoptr(GPtrArray) problems = px_overview_problems(overview);
  json_t *array = json_array();
  for (guint i = 0; i < problems->len; i++)
    json_array_append_new(array, px_json_text(problems->pdata[i]));
  return array;
}

static json_t *overview_to_json(const PxOverview *overview, GTimeZone *timezone) {
  json_t *tasks = json_array();
  json_t *workers = json_array();
  json_t *channels = json_array();
  json_t *failed = json_array();
  json_t *problems = problems_to_json(overview);
  for (guint i = 0; i < overview->tasks->len; i++)
    json_array_append_new(tasks, task_to_json(overview->tasks->pdata[i], timezone));
  for (guint i = 0; i < overview->workers->len; i++)
    json_array_append_new(workers, worker_to_json(overview->workers->pdata[i], overview->now, timezone));
  for (guint i = 0; i < overview->channels->len; i++)
    json_array_append_new(channels, channel_to_json(overview->channels->pdata[i], overview->now));
  for (guint i = 0; i < overview->failures->len; i++)
    json_array_append_new(failed, failure_to_json(overview->failures->pdata[i], timezone));
  json_t *object = json_object();
  json_object_set_new(object, "time", px_json_time(overview->now, timezone));
  json_object_set_new(object, "ok", json_boolean(json_array_size(problems) == 0));
  json_object_set_new(object, "problems", problems);
  json_object_set_new(object, "workers_alive", json_integer(overview->workers_alive));
  json_object_set_new(object, "workers_busy", json_integer(overview->workers_busy));
  json_object_set_new(object, "scheduler_alive", json_boolean(overview->scheduler_alive));
  json_object_set_new(object, "failed", px_json_count(overview->failed));
  json_object_set_new(object, "tasks", tasks);
  json_object_set_new(object, "workers", workers);
  json_object_set_new(object, "channels", channels);
  json_object_set_new(object, "failures", failed);
  return object;
}

/* ---- for people */

static void append_head(GString *out, const PxOverview *overview, const json_t *object) {
  const char *time = json_string_value(json_object_get(object, "time"));
  g_autofree char *workers = px_count_text(overview->workers_alive, "worker");
  g_string_append_printf(out, "%.10s %.8s  ", time, time + strlen("2026-11-23T"));
  if (overview->workers_alive)
    g_string_append_printf(out, "%s, %u busy; %s\n", workers, overview->workers_busy,
                           overview->scheduler_alive ? "the scheduler runs" : "no scheduler");
  else
    g_string_append(out, "nothing runs by itself (pattimpex serve)\n");
}

static void append_table(GString *out, const json_t *rows, const PxColumn *columns, size_t n, const char *empty) {
  g_autofree char *table = px_output_table(rows, columns, n, empty);
  g_string_append_printf(out, "\n%s", table);
}

/* "1:02:03", "0:07" */
static void add_spans(json_t *rows, const char *from, const char *to) {
  size_t i;
  json_t *row;
  json_array_foreach(rows, i, row) {
    const json_t *value = json_object_get(row, from);
    int64_t s = json_integer_value(value);
    g_autofree char *text = s >= 3600 ? g_strdup_printf("%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60))
                                      : g_strdup_printf("%d:%02d", (int)(s / 60), (int)(s % 60));
    if (json_is_integer(value))
      json_object_set_new(row, to, px_json_text(text));
  }
}

/* Why no next run is named. */
static void add_inactive(json_t *tasks) {
  size_t i;
  json_t *task;
  json_array_foreach(tasks, i, task) {
    if (!json_is_true(json_object_get(task, "runs")))
      json_object_set_new(task, "next_run", px_json_text("not active"));
  }
}

static void append_failures(GString *out, const PxOverview *overview, const json_t *rows) {
  if (json_array_size(rows) == 0) {
    g_string_append(out, "\nNothing has failed.\n");
    return;
  }
  g_autofree char *all = px_group_digits(overview->failed);
  g_string_append_printf(out, "\n%s failed, the newest first:\n", all);
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row) {
    const char *at = json_string_value(json_object_get(row, "at"));
    const char *task = json_string_value(json_object_get(row, "task"));
    const char *file = json_string_value(json_object_get(row, "file"));
    g_autofree char *when = at ? g_strdup_printf("%.10s %.8s", at, at + strlen("2026-11-23T")) : g_strdup("");
    g_autofree char *line =
      g_strdup_printf("%s  %s %" JSON_INTEGER_FORMAT " (%s%s%s%s%s): %s", when, json_string_value(json_object_get(row, "subject")),
                      json_integer_value(json_object_get(row, "id")), json_string_value(json_object_get(row, "kind")), task ? " " : "",
                      task ? task : "", file ? " " : "", file ? file : "", json_string_value(json_object_get(row, "error")));
    px_text_append_line(out, line);
    g_string_append_printf(out, "\n    %s\n", json_string_value(json_object_get(row, "next")));
  }
}

/* Where the database is a file, all are on this machine. */
static bool has_hosts(const PxOverview *overview) {
  for (guint i = 0; i < overview->workers->len; i++)
    if (((const PxWorkerOverview *)overview->workers->pdata[i])->host)
      return true;
  return false;
}

static char *overview_to_text(const PxOverview *overview, json_t *object) {
  static const PxColumn of_tasks[] = {{"task", "TASK"},        {"kind", "KIND"},     {"next_run", "NEXT", true}, {"last_run", "LAST RUN", true},
                                      {"last_state", "STATE"}, {"failed", "FAILED"}, {"pending", "PENDING"},     {"done", "DONE"},
                                      {"last_error", "ERROR"}};
  static const PxColumn of_workers[] = {{"host", "HOST"}, {"worker", "WORKER"}, {"pid", "PID"},   {"state", "STATE"}, {"job", "JOB"},
                                        {"kind", "KIND"}, {"task", "TASK"},     {"file", "FILE"}, {"span", "FOR"},    {"doing", "DOING"}};
  static const PxColumn of_channels[] = {{"channel", "CHANNEL"}, {"started", "STARTED"}, {"due", "DUE"},        {"later", "LATER"},
                                         {"waiting", "WAITING"}, {"failed", "FAILED"},   {"span", "OLDEST DUE"}};
  GString *out = g_string_new(NULL);
  json_t *workers = json_object_get(object, "workers");
  json_t *channels = json_object_get(object, "channels");
  add_inactive(json_object_get(object, "tasks"));
  add_spans(workers, "seconds", "span");
  add_spans(channels, "oldest_due_seconds", "span");
  append_head(out, overview, object);
  append_table(out, json_object_get(object, "tasks"), of_tasks, G_N_ELEMENTS(of_tasks), "No tasks.");
  size_t first = has_hosts(overview) ? 0 : 1;
  append_table(out, workers, of_workers + first, G_N_ELEMENTS(of_workers) - first, "No workers.");
  append_table(out, channels, of_channels, G_N_ELEMENTS(of_channels), "Nothing is queued.");
  append_failures(out, overview, json_object_get(object, "failures"));
  return g_string_free(out, FALSE);
}

/* ---- the command */

typedef struct {
  const PxCommandLine *line;
  const PxProject *project;
  bool said; /* something was shown before */
} Status;

static PxOverview *look(const PxProject *project, GError **error) {
  PxOverviewOptions options = {.failures = (uint64_t)failures};
  if (since && !px_list_since(project, since, &options.since, error))
    return NULL;
  return px_overview_read(project, &options, error);
}

static char *draw(void *data, GError **error) {
  Status *status = data;
  g_autoptr(PxOverview) overview = look(status->project, error);
  if (!overview)
    return NULL;
  g_autoptr(json_t) object = overview_to_json(overview, status->project->timezone);
  if (status->line->json) {
    char *json = json_dumps(object, watch ? JSON_COMPACT : JSON_INDENT(2));
    char *text = g_strconcat(json, "\n", NULL);
    free(json);
    return text;
  }
  g_autofree char *text = overview_to_text(overview, object);
  char *whole = g_strconcat(status->said ? "\n" : "", text, NULL);
  status->said = watch && !px_watch_is_screen();
  return whole;
}

static int print_check(const PxCommandLine *line, const PxProject *project, GError **error) {
  g_autoptr(PxOverview) overview = look(project, error);
  if (!overview)
    return 2;
  g_autoptr(GPtrArray) problems = px_overview_problems(overview);
  if (line->json) {
    g_autoptr(json_t) object = json_pack("{s:b, s:o}", "ok", problems->len == 0, "problems", problems_to_json(overview));
    px_print_json(object);
  } else if (problems->len == 0 && !line->quiet) {
    g_autofree char *workers = px_count_text(overview->workers_alive, "worker");
    printf("all is well: %s, nothing has failed\n", workers);
  }
  for (guint i = 0; i < problems->len && !line->json; i++)
    puts(problems->pdata[i]);
  return problems->len > 0;
}

static bool read_options(int64_t *ret_every, GError **error) {
  *ret_every = EVERY;
  if (every_text && (!px_config_parse_duration(every_text, ret_every) || *ret_every < EVERY_LEAST)) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "status: --every %s is no time of at least 100ms: write 2s, 1 min", every_text);
    return false;
  }
  if (failures < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "status: --failures %d is less than none", failures);
    return false;
  }
  if (check && watch) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "status: --check looks once: leave out --watch");
    return false;
  }
  return true;
}

static int run(const PxCommandLine *line, GError **error) {
  int64_t every;
  if (!read_options(&every, error))
    return 2;
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_files = true}, error);
  if (!project)
    return 2;
  if (check)
    return print_check(line, project, error);
  Status status = {.line = line, .project = project};
  if (watch)
    return px_watch(every, draw, &status, error) ? 0 : 2;
  g_autofree char *text = draw(&status, error);
  if (!text)
    return 2;
  fputs(text, stdout);
  return 0;
}

const PxCommand px_command_status = {
  .name = "status",
  .arguments = "",
  .summary = "Show everything at a glance: tasks, workers, the queue, what has failed",
  .help = "Tasks with their last and next run and how many of their files failed, wait and are done; the workers and\n"
          "what they are at; what is queued in each channel; the newest failures and what to do about them. A file\n"
          "counts as failed while rows of its last try are missing; retry and set-done settle it.\n\n"
          "With --check the exit status is 1 when a job or a file has failed, when no worker lives, or when no\n"
          "scheduler lives although tasks have schedules; 0 when all is well; 2 and 3 as always. --since leaves out\n"
          "what failed before, so that rows that go back to a partner are no alarm for ever.\n\n"
          "Examples:\n"
          "  pattimpex status\n"
          "  pattimpex status --watch --every 5s\n"
          "  pattimpex status --check --since 1d\n"
          "  pattimpex status --json\n",
  .options = OPTIONS,
  .run = run,
};
