/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fixture.h"

#include <glib/gstdio.h>

void add_expect_tests(void);
void add_fetch_tests(void);
void add_pick_tests(void);
void add_remote_tests(void);
void add_import_tests(void);
void add_run_tests(void);
void add_schedule_tests(void);
void add_upload_tests(void);
