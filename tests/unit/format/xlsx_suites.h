/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
void add_zip_tests(void);
void add_xlsx_tests(void);
void add_xlsx_book_tests(void);
void add_xlsx_number_tests(void);
void add_xlsx_sample_tests(void);
