/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/metrics.h"
#include "command/command.h"
#include "command/open.h"

#include <stdio.h>

static int run(const PxCommandLine *line, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_files = true}, error);
  g_autofree char *text = project ? px_metrics_text(project, error) : NULL;
  if (!text)
    return 2;
  fputs(text, stdout);
  return 0;
}

const PxCommand px_command_metrics = {
  .name = "metrics",
  .arguments = "",
  .summary = "Print what has happened and what is queued as metrics for Prometheus",
  .help = "The text format 0.0.4. Counters are kept in the database, so that they outlive restarts and cleaning; each is\n"
          "explained in docs/metrics.md. With the textfile collector of node_exporter:\n\n"
          "  pattimpex metrics > /var/lib/prometheus/node-exporter/pattimpex.prom.new &&\n"
          "  mv /var/lib/prometheus/node-exporter/pattimpex.prom.new /var/lib/prometheus/node-exporter/pattimpex.prom\n\n"
          "Examples:\n"
          "  pattimpex metrics\n",
  .no_json = true,
  .run = run,
};
