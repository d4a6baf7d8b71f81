/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the error report share. */
#include "format/format.h"

/* The options with which the report of the blob at fd is written: those of the file itself (byte order mark, encoding, line ends), else those
 * given. Caller calls px_format_options_done(). */
void px_report_options(int fd, const PxFormatOptions *options, PxFormatOptions *ret_options);
/* text changed in place so that a file with these options can hold it: characters that its encoding lacks become "?", and without
 * a quote there is neither a line end nor a delimiter. */
void px_report_fit(const PxFormatOptions *options, GString *text);
