/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bytes_private.h"
#include "storage/ssh_private.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

/* A peer that is gone is noticed although nothing is sent: after a minute of silence it is asked, and again, three times. */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_EVERY_S 15
#define KEEPALIVE_TIMES 3

static void set_options(int fd) {
  const int on = 1;
  const int idle = KEEPALIVE_IDLE_S;
  const int every = KEEPALIVE_EVERY_S;
  const int times = KEEPALIVE_TIMES;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

static int milliseconds_until(int64_t deadline) {
  int64_t left = (deadline - g_get_monotonic_time() + 999) / 1000;
  return (int)CLAMP(left, 0, G_MAXINT);
}

/* Waits for a connection that is on its way; -1 and errno. */
static int finish_connect(int fd, int64_t deadline) {
  struct pollfd wait = {.fd = fd, .events = POLLOUT};
  int ready;
  do
    ready = poll(&wait, 1, milliseconds_until(deadline));
  while (ready < 0 && errno == EINTR);
  int failure = ETIMEDOUT;
  socklen_t len = sizeof failure;
  if (ready < 0 || (ready > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0))
    return -1;
  errno = failure;
  return failure ? -1 : 0;
}

static int connect_to(const struct addrinfo *address, int64_t deadline) {
  PX_AUTO_FD fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
  if (fd < 0)
    return -1;
  set_options(fd);
  if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && (errno != EINPROGRESS || finish_connect(fd, deadline) < 0))
    return -1;
  return px_fd_steal(&fd);
}

int px_tcp_connect(const char *host, unsigned port, int64_t deadline, GError **error) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
  struct addrinfo *addresses = NULL;
  g_autofree char *service = g_strdup_printf("%u", port);
  int problem = getaddrinfo(host, service, &hints, &addresses);
  if (problem) {
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "the address of %s cannot be found: %s; correct \"host\", or the network", host,
                problem == EAI_SYSTEM ? g_strerror(errno) : gai_strerror(problem));
    return -1;
  }
  unsigned left = 0;
  for (const struct addrinfo *address = addresses; address; address = address->ai_next)
    left++;
  int fd = -1;
  for (const struct addrinfo *address = addresses; address && fd < 0; address = address->ai_next) {
    int64_t now = g_get_monotonic_time();
    fd = connect_to(address, now + (deadline - now) / left--);
  }
  int failure = errno;
  freeaddrinfo(addresses);
  if (fd < 0)
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s port %u cannot be connected to: %s; correct \"host\" and \"port\", or try again later",
                host, port, g_strerror(failure));
  return fd;
}
