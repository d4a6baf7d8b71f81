/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
void add_csv_tests(void);
