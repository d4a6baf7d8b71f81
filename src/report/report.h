/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a person gets back: the file with a first column #Error. */
#include "base/message.h"
#include "format/format.h"

/* Gives the messages in the order of their rows: *ret_message borrowed until the next call; false at the end. */
typedef bool (*PxMessageSource)(const PxMessage **ret_message, void *data);

/* Reads the file at blob_fd again (through a parser process) and writes it to out_fd in its own format, with a first column #Error
 * that holds all messages of the row, one a line; an #Error column of before is replaced. all_rows false: the header and the bad rows
 * only. header_rows: 1 or 2; with two the title "Error" stands above "#Error". *ret_rows: bad rows written.
 *
 * A workbook goes back as it is (format/xlsx_mark.h): through a marker process, with all its sheets, styles and references. *ret_note: what
 * a person should know of it, NULL: nothing; caller frees. */
bool px_report_error_file(int blob_fd, const PxFormatOptions *options, unsigned header_rows, bool all_rows, PxMessageSource source, void *data,
                          int out_fd, uint64_t *ret_rows, char **ret_note, GError **error) G_GNUC_WARN_UNUSED_RESULT;
