/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "config/config.h"

void add_parse_tests(void);
void add_load_tests(void);
void add_read_tests(void);

/* Parses text that must be right; its file is called "t". */
PxConfig *parsed(const char *text);
/* Parses text that must be wrong, with a message that has part in it. */
void assert_refused(const char *text, const char *part);
void assert_contains(const char *text, const char *part);
