/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rows as text that a test can compare: "1@0 a|b\n", an empty cell as nothing, the error as "! message" in the last line. */
#include "format/format.h"

#include <stddef.h>

/* A file without a name that holds these bytes. Caller closes. */
int test_file(const char *bytes, size_t len);
/* All that is in fd. Caller frees. */
char *test_contents(int fd, size_t *ret_len);

/* The rows of the file at fd, from row number on. Caller frees. */
char *test_rows_at(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, bool portable);
/* The rows of these bytes; every size of read and both scanners must give the same, or the program ends. Caller frees. */
char *test_rows(const char *bytes, size_t len, const PxFormatOptions *options);
