/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon_private.h"

#define PAUSE_MIN (100 * G_TIME_SPAN_MILLISECOND)
#define PAUSE_MAX (5 * G_TIME_SPAN_SECOND)

void px_outage_clear(PxOutage *outage) {
  g_clear_pointer(&outage->left, g_free);
}

void px_outage_leave(PxOutage *outage, PxWorker *presence) {
  g_free(outage->left);
  outage->left = g_strdup(px_worker_name(presence));
  px_worker_leave(presence);
}

void px_outage_return(PxOutage *outage, PxDb *db) {
  if (outage->left)
    px_worker_bury(db, outage->left);
  g_clear_pointer(&outage->left, g_free);
}

bool px_outage_wait(PxOutage *outage, const PxDaemonProcess *process, const char *name, const PxDb *db, const GError *error) {
  bool away = g_error_matches(error, PX_ERROR, PX_ERROR_UNREACHABLE) || g_error_matches(error, PX_ERROR, PX_ERROR_TRANSIENT);
  bool server = outage->pause || (db && px_db_dialect(db) == PX_DIALECT_POSTGRES);
  if (!away || !server || px_stop_wanted() != PX_STOP_NOT)
    return false;
  px_log(outage->pause ? PX_LOG_DEBUG : PX_LOG_WARNING, NULL, "%s; the database is tried again until it is there", error->message);
  px_process_says(process, PX_LIFE_IDLE, name, "waiting for the database", NULL);
  outage->pause = outage->pause ? MIN(outage->pause * 2, PAUSE_MAX) : PAUSE_MIN;
  /* Hundreds of workers do not come back in the same moment. */
  px_stop_wait(-1, outage->pause * g_random_int_range(50, 150) / 100);
  return px_stop_wanted() == PX_STOP_NOT;
}

void px_outage_end(PxOutage *outage) {
  if (outage->pause)
    px_log(PX_LOG_INFO, NULL, "the database is there again");
  outage->pause = 0;
}
