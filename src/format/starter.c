/* SPDX-License-Identifier: Apache-2.0 */
#include "format/starter.h"

#include "format/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FDS 4
#define MOST_BYTES 32768 /* of an order; a longer one starts a process in the other way */
#define MOST_WORDS 64
#define MOST_COPIES 500

/* An order is this, with descriptors beside it, and the words of argv behind it, each with a zero. */
typedef struct {
  uint32_t n_fds, n_words;
  int32_t place[MOST_FDS]; /* of each that is given */
} Head;

typedef union {
  char bytes[CMSG_SPACE(sizeof(int) * MOST_FDS)];
  struct cmsghdr header;
} Control;

/* ---- the process whose it is */

static struct {
  pid_t owner; /* a fork of it has no starter; 0: no parser was started yet, or none since the last one ended */
  pid_t pid;   /* 0: there is none */
  int socket;
  unsigned copies;
} own;

static void adopt(void) {
  if (own.owner == getpid())
    return;
  if (own.pid)
    (void)close(own.socket);
  own.pid = 0;
  own.owner = 0;
}

void px_starter_end(void) {
  int status;
  adopt();
  own.owner = 0;
  if (!own.pid)
    return;
  (void)close(own.socket);
  (void)kill(own.pid, SIGKILL);
  (void)px_child_reap(&own.pid, &status);
}

static bool begin(void) {
  int ends[2];
  char *const words[] = {(char[]){"pattimpex"}, (char[]){"parser"}, (char[]){PX_STARTER}, NULL};
  const GPtrArray argv = {.pdata = (gpointer *)(uintptr_t)words, .len = G_N_ELEMENTS(words)};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return false;
  int theirs = px_child_move_up(ends[1]);
  const int fds[] = {theirs, theirs};
  bool begun = theirs >= 0 && px_child_spawn(&argv, fds, G_N_ELEMENTS(fds), &own.pid) == 0;
  if (theirs >= 0)
    (void)close(theirs);
  if (!begun) {
    (void)close(ends[0]);
    own.pid = 0;
    return false;
  }
  own.socket = ends[0];
  own.copies = 0;
  return true;
}

static bool send_order(const GPtrArray *argv, const int *fds, int n_fds) {
  Head head = {.n_words = argv->len - 1};
  Control control = {0};
  int given[MOST_FDS];
  g_autoptr(GString) words = g_string_new(NULL);
  for (int i = 0; i < n_fds; i++)
    if (fds[i] >= 0) {
      head.place[head.n_fds] = i;
      given[head.n_fds++] = fds[i];
    }
  for (guint i = 0; i < head.n_words; i++)
    g_string_append_len(words, argv->pdata[i], (gssize)strlen(argv->pdata[i]) + 1);
  if (words->len + sizeof(head) > MOST_BYTES || head.n_words > MOST_WORDS)
    return false;
  struct iovec parts[] = {{&head, sizeof(head)}, {words->str, words->len}};
  size_t size = head.n_fds * sizeof(int);
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts), .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(size)};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size)};
  memcpy(CMSG_DATA(rights), given, size);
  return sendmsg(own.socket, &message, MSG_NOSIGNAL) == (ssize_t)(sizeof(head) + words->len);
}

static bool take_answer(pid_t *ret_pid) {
  int32_t answer;
  ssize_t n;
  do
    n = recv(own.socket, &answer, sizeof(answer), 0);
  while (n < 0 && errno == EINTR);
  *ret_pid = n == (ssize_t)sizeof(answer) ? answer : 0;
  return *ret_pid > 0;
}

int px_starter_spawn(const GPtrArray *argv, const int *fds, int n_fds, pid_t *ret_pid) {
  adopt();
  if (own.pid && own.copies++ >= MOST_COPIES)
    px_starter_end();
  bool is_first = own.owner == 0;
  own.owner = getpid();
  if (!is_first && (own.pid || begin())) {
    if (send_order(argv, fds, n_fds) && take_answer(ret_pid))
      return 0;
    px_starter_end();
  }
  return px_child_spawn(argv, fds, n_fds, ret_pid);
}

/* ---- the starter */

typedef struct {
  Head head;
  int fds[MOST_FDS];
  char text[MOST_BYTES];
  char *argv[MOST_WORDS + 1];
} Order;

static bool take_fds(struct msghdr *message, Order *order) {
  const struct cmsghdr *rights = CMSG_FIRSTHDR(message);
  size_t size = order->head.n_fds * sizeof(int);
  if ((message->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) || order->head.n_fds > MOST_FDS || !rights || rights->cmsg_len != CMSG_LEN(size))
    return false;
  memcpy(order->fds, CMSG_DATA(rights), size);
  return true;
}

static bool take_order(int socket, Order *order) {
  Control control;
  struct iovec parts[] = {{&order->head, sizeof(order->head)}, {order->text, sizeof(order->text) - 1}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts), .msg_control = control.bytes, .msg_controllen = sizeof(control)};
  ssize_t n;
  do
    n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < (ssize_t)sizeof(order->head) || order->head.n_words > MOST_WORDS || !take_fds(&message, order))
    return false;
  char *word = order->text;
  order->text[n - (ssize_t)sizeof(order->head)] = '\0';
  for (uint32_t i = 0; i < order->head.n_words; i++) {
    order->argv[i] = word;
    word += strlen(word) + 1;
  }
  order->argv[order->head.n_words] = NULL;
  return true;
}

/* In the copy: its descriptors in their places, and no others. */
static bool put_in_place(Order *order) {
  int last = STDERR_FILENO;
  for (uint32_t i = 0; i < order->head.n_fds; i++) {
    int fd = px_child_move_up(order->fds[i]);
    if (fd < 0 || dup2(fd, order->head.place[i]) < 0)
      return false;
    last = MAX(last, order->head.place[i]);
  }
  return close_range((unsigned)last + 1, ~0U, 0) == 0;
}

/* fork(2), but for whose child it is. */
static pid_t copy(void) {
  return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

int px_starter_main(int (*run)(int argc, char **argv)) {
  static Order order;
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  int socket = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, PX_CHILD_FIRST);
  while (socket >= 0 && take_order(socket, &order)) {
    pid_t pid = copy();
    if (pid == 0) /* _exit(2): what ends with the program is the starter's, and a leak detector would look for the starter's thread */
      _exit(put_in_place(&order) ? run((int)order.head.n_words, order.argv) : 4);
    int32_t answer = pid;
    for (uint32_t i = 0; i < order.head.n_fds; i++)
      (void)close(order.fds[i]);
    if (send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer))
      break;
  }
  return 0;
}
