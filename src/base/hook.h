/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Step hooks: the places where tests kill the program. Only builds with -Dtest_hooks=true have them.
 *
 * PATTIMPEX_KILL_AT=N[,N...]  the N-th hook that is reached (over all names) kills its process with SIGKILL
 * PATTIMPEX_KILL_COUNT=F      hooks are counted over all processes, in the file F
 * PATTIMPEX_PAUSE_AT=NAME:N   the N-th hook of that name stops its process with SIGSTOP
 * PATTIMPEX_CRASH_AT=NAME:X   each hook of that name that is about X ends its process with SIGSEGV
 * PATTIMPEX_HOOK_LOG=F        each hook that is reached appends its name to the file F, one a line
 */
#include "px-config.h"

#ifdef PX_TEST_HOOKS
void px_hook(const char *name);
/* Not counted among the hooks that kill: only for crashes by what is worked on, such as a file of that name. */
void px_hook_about(const char *name, const char *subject);
#else
#define px_hook(name) ((void)0)
#define px_hook_about(name, subject) ((void)0)
#endif
