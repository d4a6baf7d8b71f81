/* SPDX-License-Identifier: Apache-2.0 */
/* The queue at its own interface: claims batches of jobs and ends them, until none is left. For bench/queue_pg.py.
 *
 *     queue_pg URL BATCH [CHANNELS]
 *
 * Waits for a line on standard input, then begins; prints how many jobs it ended, and how many it found to be another worker's. */
#include "queue/ends.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned batch;

static unsigned batch_of(const char *kind) {
  return batch;
}

static int fail(const GError *error) {
  (void)fprintf(stderr, "queue_pg: %s\n", error->message);
  return 1;
}

static void free_job(gpointer job) {
  px_job_free(job);
}

static PxChannels *read_channels(const char *text) {
  g_autofree char *yaml = g_strdup_printf("channels: \"%s\"\n", text);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxConfig) config = px_config_parse(yaml, "bench", NULL);
  return px_channels_read(px_node_get(px_config_root(config), "channels"), complaints);
}

static int64_t now(void) {
  return g_get_real_time();
}

/* Up to a batch; jobs is empty when nothing is left. */
static bool claim(PxDb *db, const PxWorker *worker, GPtrArray *jobs, GError **error) {
  PxJob *job;
  g_ptr_array_set_size(jobs, 0);
  do {
    if (!px_job_claim(db, worker, NULL, now(), &job, error))
      return false;
    if (job)
      g_ptr_array_add(jobs, job);
  } while (job && jobs->len < batch);
  return true;
}

static bool work(PxDb *db, const PxWorker *worker, uint64_t *ret_done, uint64_t *ret_lost, GError **error) {
  g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(free_job);
  g_autofree PxEnd *ends = g_new0(PxEnd, batch);
  for (;;) {
    bool in_doubt;
    if (!claim(db, worker, jobs, error))
      return false;
    if (jobs->len == 0)
      return true;
    for (guint i = 0; i < jobs->len; i++)
      ends[i] = (PxEnd){.job = jobs->pdata[i]};
    if (!px_jobs_end(db, worker, ends, jobs->len, &(PxEndOptions){.claims = true}, now(), &in_doubt, error))
      return false;
    for (guint i = 0; i < jobs->len; i++)
      *(ends[i].state == PX_END_DONE ? ret_done : ret_lost) += 1;
  }
}

int main(int argc, char **argv) {
  g_autoptr(GError) error = NULL;
  uint64_t done = 0;
  uint64_t lost = 0;
  if (argc < 3) {
    (void)fprintf(stderr, "usage: queue_pg URL BATCH [CHANNELS]\n");
    return 2;
  }
  batch = (unsigned)g_ascii_strtoull(argv[2], NULL, 10);
  g_autoptr(PxDb) db = px_db_open(&(PxDbOptions){.url = argv[1]}, &error);
  if (!db || !px_db_migrate(db, &error))
    return fail(error);
  g_autoptr(PxChannels) channels = argc > 3 ? read_channels(argv[3]) : NULL;
  g_autoptr(PxWorker) worker = px_worker_open(db, &error);
  if (!worker)
    return fail(error);
  px_worker_heed(worker, channels);
  px_worker_batch(worker, batch_of);
  px_worker_claims(worker, PX_CLAIMS_WORK);
  (void)printf("ready\n");
  (void)fflush(stdout);
  (void)getchar();
  if (!work(db, worker, &done, &lost, &error))
    return fail(error);
  (void)printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", done, lost);
  return 0;
}
