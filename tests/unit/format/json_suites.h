/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
void add_json_write_tests(void);
