/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a configuration can be used: as `check` asks, with the answers in the log. */
#include "daemon/supervisor_private.h"

#include <signal.h>

static void log_complaints(const PxComplaints *complaints) {
  for (size_t i = 0; i < px_complaints_count(complaints); i++) {
    const PxComplaint *complaint = px_complaints_at(complaints, i);
    g_autofree char *text = px_complaint_text(complaint);
    px_log(complaint->is_warning ? PX_LOG_WARNING : PX_LOG_ERROR, NULL, "%s", text);
  }
}

int px_checker_live(const PxConfig *config, const PxDaemonOptions *options) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(GError) error = NULL;
  const PxProjectOptions project_options = {.config = config};
  unsigned unreachable = 0;
  (void)signal(SIGPIPE, SIG_IGN);
  px_title_set("checker");
  g_autoptr(PxProject) project = px_project_open(&project_options, complaints, &error);
  bool asked = project && (px_complaints_errors(complaints) > 0 || px_project_check(project, complaints, &unreachable, &error));
  log_complaints(complaints);
  if (!asked) {
    px_log(PX_LOG_ERROR, NULL, "%s", error->message);
    return px_error_exit_status(error);
  }
  /* A store that is out of reach now may be back when it is needed. */
  return px_complaints_errors(complaints) == unreachable ? 0 : 2;
}
