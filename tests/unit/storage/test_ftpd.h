/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The settings of a storage of the type ftp on the directory served: by vsftpd without TLS, with explicit and with implicit TLS, and by
 * pyftpdlib, which knows MLSD. A server is started with the first. Caller frees; NULL: it is not installed here. */
char *vsftpd_plain_config(const char *served);
/* Without TLS, too; it takes one connection at a time. */
char *vsftpd_alone_config(const char *served);
char *vsftpd_explicit_config(const char *served);
char *vsftpd_implicit_config(const char *served);
char *pyftpd_config(const char *served);
/* The certificate of the servers with TLS, a file. */
const char *ftpd_certificate(void);
void ftpd_stop(void);
