/* SPDX-License-Identifier: Apache-2.0 */
/* libssh is only asked what it can answer at once (ssh_set_blocking 0); waiting is done here, with a deadline. */
#include "storage/ssh_private.h"

#include "storage/bytes_private.h"

#include <fcntl.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <sys/stat.h>

#define MOST_AT_ONCE ((size_t)1024 * 1024)
#define LARGE_PACKET (16 * 1024)

struct PxSsh {
  const PxSshSettings *settings;
  char *where;
  int fd;     /* the socket */
  int theirs; /* the same, for libssh, which closes it where an error of the connection ends a session, and leaves it open otherwise */
  ssh_session session;
  ssh_channel channel;
  void *displaced;  /* what take_place_of_string() gave */
  int64_t deadline; /* of the login */
};

static bool fail(const PxSsh *ssh, PxError code, const char *doing, GError **error) {
  g_set_error(error, PX_ERROR, (int)code, "%s: %s: %s", ssh->where, doing, ssh_get_error(ssh->session));
  return false;
}

/* The flags of libssh are not those of poll(2). */
static short events_of(const PxSsh *ssh) {
  return (short)(POLLIN | (ssh_get_poll_flags(ssh->session) & SSH_WRITE_PENDING ? POLLOUT : 0));
}

/* false: the time is over. */
static bool wait_until(const PxSsh *ssh, int64_t deadline) {
  struct pollfd wait = {.fd = ssh->fd, .events = events_of(ssh)};
  for (;;) {
    int64_t left = deadline - g_get_monotonic_time();
    if (left <= 0)
      return false;
    int ready = poll(&wait, 1, (int)MIN((left + 999) / 1000, G_MAXINT));
    if (ready > 0 || (ready < 0 && errno != EINTR))
      return true;
  }
}

static bool wait_for_login(void *data, GError **error) {
  PxSsh *ssh = data;
  if (wait_until(ssh, ssh->deadline))
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s: no answer while logging in; try again later, or raise \"connect_timeout\"", ssh->where);
  return false;
}

/* ---- opening */

static bool shake_hands(PxSsh *ssh, GError **error) {
  int result;
  while ((result = ssh_connect(ssh->session)) == SSH_AGAIN) {
    if (!wait_for_login(ssh, error))
      return false;
  }
  return result == SSH_OK || fail(ssh, PX_ERROR_UNREACHABLE, "cannot begin an SSH connection", error);
}

static bool open_channel(PxSsh *ssh, const char *subsystem, GError **error) {
  int result;
  ssh->channel = ssh_channel_new(ssh->session);
  if (!ssh->channel)
    return fail(ssh, PX_ERROR_UNREACHABLE, "cannot open a channel", error);
  while ((result = ssh_channel_open_session(ssh->channel)) == SSH_AGAIN) {
    if (!wait_for_login(ssh, error))
      return false;
  }
  if (result != SSH_OK)
    return fail(ssh, PX_ERROR_UNREACHABLE, "cannot open a channel", error);
  while ((result = ssh_channel_request_subsystem(ssh->channel, subsystem)) == SSH_AGAIN) {
    if (!wait_for_login(ssh, error))
      return false;
  }
  if (result == SSH_OK)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "%s: the server gives this user no %s; ask who runs it", ssh->where, subsystem);
  return false;
}

static bool open_session(PxSsh *ssh, GError **error) {
  const PxSshSettings *settings = ssh->settings;
  ssh->fd = px_tcp_connect(settings->host, (unsigned)settings->port, ssh->deadline, error);
  if (ssh->fd < 0)
    return false;
  ssh->session = ssh_new();
  if (!ssh->session) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "%s: libssh gives no session", ssh->where);
    return false;
  }
  ssh_set_blocking(ssh->session, 0);
  ssh->theirs = fcntl(ssh->fd, F_DUPFD_CLOEXEC, 0);
  if (ssh->theirs < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: no descriptor is left: %s", ssh->where, g_strerror(errno));
    return false;
  }
  return px_ssh_set_options(ssh->session, settings, ssh->theirs, error) && shake_hands(ssh, error);
}

static bool log_in(PxSsh *ssh, const char *subsystem, GError **error) {
  const PxSshSettings *settings = ssh->settings;
  if (px_ssh_check_host_key(ssh->session, settings, error) && px_ssh_login(ssh->session, settings, wait_for_login, ssh, error))
    return open_channel(ssh, subsystem, error);
  g_prefix_error(error, "%s: ", ssh->where);
  return false;
}

static PxSsh *ssh_allocate(const PxSshSettings *settings) {
  PxSsh *ssh = g_new0(PxSsh, 1);
  ssh->settings = settings;
  ssh->fd = -1;
  ssh->theirs = -1;
  ssh->where =
    settings->port == 22 ? g_strdup(settings->host) : g_strdup_printf("%s port %" G_GUINT64_FORMAT, settings->host, (guint64)settings->port);
  ssh->deadline = g_get_monotonic_time() + settings->connect_timeout;
  return ssh;
}

PxSsh *px_ssh_open(const PxSshSettings *settings, const char *subsystem, GError **error) {
  PxSsh *ssh = ssh_allocate(settings);
  if (open_session(ssh, error) && log_in(ssh, subsystem, error))
    return ssh;
  px_ssh_close(ssh);
  return NULL;
}

bool px_ssh_host_key(const PxSshSettings *settings, bool trust, char **ret_key, bool *ret_known, GError **error) {
  PxSsh *ssh = ssh_allocate(settings);
  bool ok = open_session(ssh, error);
  if (ok && !px_ssh_ask_host_key(ssh->session, settings, trust, ret_known, error)) {
    g_prefix_error(error, "%s: ", ssh->where);
    ok = false;
  }
  if (ok)
    *ret_key = px_ssh_host_key_text(ssh->session);
  px_ssh_close(ssh);
  return ok;
}

/* When libssh has closed its descriptor, the number may be another file's by now: of the database, for one. */
static void close_theirs(PxSsh *ssh) {
  struct stat ours;
  struct stat theirs;
  if (ssh->theirs >= 0 && fstat(ssh->fd, &ours) == 0 && fstat(ssh->theirs, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
      ours.st_ino == theirs.st_ino)
    px_fd_clear(&ssh->theirs);
}

void px_ssh_close(PxSsh *ssh) {
  if (!ssh)
    return;
  if (ssh->channel)
    ssh_channel_free(ssh->channel);
  if (ssh->session) {
    ssh_disconnect(ssh->session);
    ssh_free(ssh->session);
  }
  close_theirs(ssh);
  px_fd_clear(&ssh->fd);
  g_free(ssh->displaced);
  g_free(ssh->where);
  g_free(ssh);
}

/* ---- bytes */

static bool lost(const PxSsh *ssh, GError **error) {
  const char *why = ssh_get_error(ssh->session);
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the connection was lost%s%s; it is tried again", ssh->where, *why ? ": " : "", why);
  return false;
}

bool px_ssh_write_some(PxSsh *ssh, const void *bytes, size_t size, size_t *ret_written, GError **error) {
  int written = ssh_channel_write(ssh->channel, bytes, (uint32_t)MIN(size, MOST_AT_ONCE));
  *ret_written = written > 0 ? (size_t)written : 0;
  return written != SSH_ERROR || lost(ssh, error);
}

/* libssh copies each packet into a string, and that into the channel's buffer. malloc lays the string between buffers of whole pages, each some
 * bytes further on than a multiple of 4 KB: the distance at which "rep movsb" of AMD's Zen 3 and 4, which is memcpy there, takes ten times as long.
 * Once its place is taken, the next strings go elsewhere. */
static void *take_place_of_string(size_t len) {
  return g_try_malloc(sizeof(uint32_t) + len);
}

bool px_ssh_read_some(PxSsh *ssh, void *buffer, size_t size, size_t *ret_got, GError **error) {
  int got = ssh_channel_read_nonblocking(ssh->channel, buffer, (uint32_t)MIN(size, MOST_AT_ONCE), 0);
  *ret_got = got > 0 ? (size_t)got : 0;
  if (got >= LARGE_PACKET && !ssh->displaced)
    ssh->displaced = take_place_of_string((size_t)got);
  if (got > 0 || got == SSH_AGAIN)
    return true;
  bool is_closed = got < 0 || ssh_channel_is_eof(ssh->channel) || !ssh_is_connected(ssh->session);
  return !is_closed || lost(ssh, error);
}

static bool nothing_came(const PxSsh *ssh, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT,
              "%s: nothing came for %" G_GINT64_FORMAT " s; it is tried again (raise \"timeout\" for a slow server)", ssh->where,
              ssh->settings->timeout / G_USEC_PER_SEC);
  return false;
}

bool px_ssh_wait(PxSsh *ssh, int64_t deadline, GError **error) {
  return wait_until(ssh, deadline) || nothing_came(ssh, error);
}

bool px_ssh_wait_for_bytes(PxSsh *ssh, int64_t deadline, GError **error) {
  int64_t left = (deadline - g_get_monotonic_time() + 999) / 1000;
  return (left > 0 && ssh_channel_poll_timeout(ssh->channel, (int)MIN(left, G_MAXINT), 0) != 0) || nothing_came(ssh, error);
}

const char *px_ssh_where(const PxSsh *ssh) {
  return ssh->where;
}
