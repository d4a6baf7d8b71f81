/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
void add_arena_tests(void);
void add_file_tests(void);
void add_log_tests(void);
void add_row_batch_tests(void);
void add_text_tests(void);
