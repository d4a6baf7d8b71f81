/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The settings of a storage of the type s3 on the directory served, which is below TMPDIR; the server is started with the first. Caller frees. */
char *s3d_config(const char *served);
unsigned s3d_port(void);
void s3d_stop(void);
