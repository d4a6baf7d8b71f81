/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What this machine is called among those that work on one database: PATTIMPEX_HOST of the environment, else the name that the system has. Lives as
 * long as the program. */
const char *px_host_name(void);
