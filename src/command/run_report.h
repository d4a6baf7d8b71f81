/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What jobs did, told as they end: a line each for people, one object at the end for scripts. */
#include "command/command.h"
#include "flow/flow.h"

typedef struct PxRunReport PxRunReport;

/* project and line are borrowed. */
PxRunReport *px_run_report_new(const PxProject *project, const PxCommandLine *line);
void px_run_report_free(PxRunReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxRunReport, px_run_report_free)

/* The functions of PxRunOptions; data is the PxRunReport. */
void px_run_report_job(const PxJobReport *job, void *data);
void px_run_report_progress(const PxProgress *progress, void *data);
/* Prints the totals. */
void px_run_report_end(PxRunReport *report, const PxRunResult *result);
