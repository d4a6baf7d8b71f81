/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's notifications: one datagram to the socket that it names. The protocol is documented as stable, sd_notify(3) "Notes"; libsystemd itself
 * would bring five libraries into every process of ours, the parsers too. */
#include "daemon/daemon_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void px_notify(const char *lines) {
  const char *path = g_getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t len = path ? strlen(path) : 0;
  if (len < 2 || len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
    return;
  memcpy(address.sun_path, path, len);
  if (path[0] == '@') /* an abstract name */
    address.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
  if (sendto(fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address, size) < 0)
    px_log(PX_LOG_DEBUG, NULL, "%s: cannot notify: %s", path, g_strerror(errno));
  (void)close(fd);
}

int64_t px_notify_watchdog(void) {
  guint64 pid;
  guint64 microseconds;
  const char *of = g_getenv("WATCHDOG_PID");
  const char *span = g_getenv("WATCHDOG_USEC");
  if (!span || !g_ascii_string_to_unsigned(span, 10, 1, G_MAXINT64, &microseconds, NULL))
    return 0;
  if (of && (!g_ascii_string_to_unsigned(of, 10, 1, G_MAXINT32, &pid, NULL) || (pid_t)pid != getpid()))
    return 0;
  return (int64_t)microseconds;
}
