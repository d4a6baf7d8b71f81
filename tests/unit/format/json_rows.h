/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rows of a JSON file as text that a test can compare: "1 'text'|12|true|~|.\n" (~ is empty, . is absent), the complaint as "! message" in the last
 * line. */
#include "format/format.h"

#include <stddef.h>

/* The rows of the file at fd from number on, each with its place behind the number when places. Caller frees. */
char *test_json_rows_at(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, bool places);
/* The rows of these bytes. Every size of read must give the same, and so must going on at each row, or the program ends. Caller frees. */
char *test_json_rows(const char *bytes, size_t len, const PxFormatOptions *options);
