/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the error report share. */
#include "report/report.h"

#include <sys/types.h>

/* What px_report_error_file() is asked for. */
typedef struct {
  int blob_fd;
  const PxFormatOptions *options;
  unsigned header_rows;
  bool all_rows;
  PxMessageSource source;
  void *data;
  int out_fd;
  off_t out_start; /* where the file begins in out_fd */
  bool *ret_cut;   /* set to true when the last columns had no room beside #Error; may be NULL */
} PxErrorFile;

/* Row by row, in any format that can be written. */
bool px_report_write_rows(const PxErrorFile *file, uint64_t *ret_rows, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The workbook itself. *ret_note as of px_report_error_file(). */
bool px_report_write_book(const PxErrorFile *file, uint64_t *ret_rows, char **ret_note, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The message as a line of the error cell. */
void px_report_append(GString *text, const PxMessage *message);

/* The options with which the report of the blob at fd is written: those of the file itself (byte order mark, encoding, line ends), else those
 * given. Caller calls px_format_options_done(). */
void px_report_options(int fd, const PxFormatOptions *options, PxFormatOptions *ret_options);
/* text changed in place so that a file with these options can hold it: characters that its encoding lacks become "?", and without
 * a quote there is neither a line end nor a delimiter. */
void px_report_fit(const PxFormatOptions *options, GString *text);
