/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An SSH connection with one subsystem on it, by libssh. Nothing in here waits for longer than the settings say. */
#include "config/config.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum { PX_SSH_DEFAULT, PX_SSH_STRICT, PX_SSH_LEGACY } PxSshAlgorithms;

typedef struct {
  char *host;
  uint64_t port;
  char *user;
  char *password;       /* NULL: none */
  char *key_file;       /* NULL: none */
  char *key;            /* the text of a private key; NULL: none */
  char *key_passphrase; /* NULL: none */
  bool agent;
  char *known_hosts;                /* a file */
  char **host_key;                  /* fingerprints, any of them; or the one word accept-new; NULL: known_hosts decides */
  int algorithms;                   /* PxSshAlgorithms */
  int64_t connect_timeout, timeout; /* microseconds: until logged in; without any progress */
} PxSshSettings;

typedef struct PxSsh PxSsh;

/* Connects, checks the server's key, logs in and starts the subsystem. PX_ERROR_UNREACHABLE: it does not answer, or not in time;
 * PX_ERROR_CONFIG: its key is unknown or another one, or it refuses the login. settings must outlive the connection. */
PxSsh *px_ssh_open(const PxSshSettings *settings, const char *subsystem, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_ssh_close(PxSsh *ssh);

/* All of these give false when the connection is of no use any more: PX_ERROR_TRANSIENT. */

/* Writes what can be written now without waiting; *ret_written may be 0. */
bool px_ssh_write_some(PxSsh *ssh, const void *bytes, size_t size, size_t *ret_written, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads what is there; *ret_got may be 0. */
bool px_ssh_read_some(PxSsh *ssh, void *buffer, size_t size, size_t *ret_got, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Waits until something can be read or, if some was written last, more can be written; until deadline (g_get_monotonic_time()). */
bool px_ssh_wait(PxSsh *ssh, int64_t deadline, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Waits until bytes of the subsystem are there, or the connection has ended; what came piecemeal meanwhile is put together. */
bool px_ssh_wait_for_bytes(PxSsh *ssh, int64_t deadline, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "host" or "host port N", for messages. Borrowed. */
const char *px_ssh_where(const PxSsh *ssh);

/* As px_storage_host_key() has it; no login. */
bool px_ssh_host_key(const PxSshSettings *settings, bool trust, char **ret_key, bool *ret_known, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- for px_ssh_open() */

typedef struct ssh_session_struct PxSshSession;

/* Whether the server is the one that is meant. PX_ERROR_CONFIG with what to do. */
bool px_ssh_check_host_key(PxSshSession *session, const PxSshSettings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether it is; when not, what is known instead is an error: PX_ERROR_CONFIG. trust: what is not known is written to known_hosts. */
bool px_ssh_ask_host_key(PxSshSession *session, const PxSshSettings *settings, bool trust, bool *ret_known, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The server's key as "ssh-ed25519 SHA256:...". Caller frees; NULL: it has shown none. */
char *px_ssh_host_key_text(PxSshSession *session);
/* The settings that libssh is to have before it connects. */
bool px_ssh_set_options(PxSshSession *session, const PxSshSettings *settings, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Logs in. wait is called where libssh has to be asked again. PX_ERROR_CONFIG: refused. */
typedef bool (*PxSshWait)(void *data, GError **error);
bool px_ssh_login(PxSshSession *session, const PxSshSettings *settings, PxSshWait wait, void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A TCP connection to any address of host, non-blocking, TCP_NODELAY and keepalive. -1: PX_ERROR_UNREACHABLE. */
int px_tcp_connect(const char *host, unsigned port, int64_t deadline, GError **error) G_GNUC_WARN_UNUSED_RESULT;
