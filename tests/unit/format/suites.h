/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
void add_csv_tests(void);
void add_options_tests(void);
void add_parser_tests(void);
void add_writer_tests(void);
/* What a parser does that has been taken over; does not return before its pipe is gone. */
int evil_parser(const char *what);
