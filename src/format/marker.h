/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The marker process: a workbook that goes back with a column #Error is read and written in a process that has the blob, the texts, the
 * output and a pipe, and nothing else, as the parser has (format/parser.h).
 *
 * Any program that calls px_marker_run() must hand itself over when it is started as the marker:
 *   if (argc > 1 && strcmp(argv[1], "marker") == 0) return px_marker_main(argc, argv);
 */
#include "format/xlsx_mark.h"

/* Runs px_xlsx_mark() in a process of its own, to its end; what it says is checked, what it wrote is foreign bytes as the blob is.
 * PX_ERROR_REFUSED also: the workbook made the marker crash. */
bool px_marker_run(int blob, int texts, int out, const PxFormatOptions *options, const PxMarkOptions *mark, PxMarkResult *ret_result, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* The marker's side: what the hidden command runs; argv[1] is "marker". The exit status. */
int px_marker_main(int argc, char **argv);
