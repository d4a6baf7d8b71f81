/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The settings of a storage of the type sftp on the directory served; the server is started with the first. Caller frees; NULL: there is
 * no sshd here. */
char *sshd_config(const char *served);
void sshd_stop(void);
/* Ends every connection that is there now; the server goes on. */
void sshd_end_sessions(void);

/* ---- its own directory: keys (host, user, rsa, locked with the passphrase "open sesame", other: nobody's), known_hosts, log */

const char *sshd_directory(void);
unsigned sshd_port(void);
const char *sshd_user(void);
void sshd_make_key(const char *name, const char *type, const char *passphrase);
char *sshd_read(const char *name);
void sshd_write(const char *name, const char *text);
