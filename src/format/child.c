/* SPDX-License-Identifier: Apache-2.0 */
#include "format/child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_BYTES (1024 * 1024)

/* ---- the parent's side */

int px_child_move_up(int fd) {
  int high = fcntl(fd, F_DUPFD_CLOEXEC, PX_CHILD_FIRST);
  int problem = errno;
  close(fd);
  errno = problem;
  return high;
}

bool px_child_pipe(int *ret_read, int *ret_write) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return false;
  int in = px_child_move_up(ends[0]);
  int out = px_child_move_up(ends[1]);
  if (in < 0 || out < 0) {
    if (in >= 0)
      close(in);
    if (out >= 0)
      close(out);
    return false;
  }
  (void)fcntl(out, F_SETPIPE_SZ, PIPE_BYTES); /* a wish: fewer switches between the two processes */
  *ret_read = in;
  *ret_write = out;
  return true;
}

typedef struct {
  const char *name;
  char **text;
  uint64_t *number;
} Option;

#define N_OPTIONS 12

static void list_options(PxFormatOptions *options, Option list[N_OPTIONS]) {
  const Option known[N_OPTIONS] = {
    {"delimiter", &options->delimiter, NULL},         {"quote", &options->quote, NULL},
    {"encoding", &options->encoding, NULL},           {"sheet", &options->sheet, NULL},
    {"max_row_bytes", NULL, &options->max_row_bytes}, {"max_cells", NULL, &options->max_cells},
    {"max_members", NULL, &options->max_members},     {"max_member_bytes", NULL, &options->max_member_bytes},
    {"max_ratio", NULL, &options->max_ratio},         {"max_text_bytes", NULL, &options->max_text_bytes},
    {"max_depth", NULL, &options->max_depth},         {"string_memory", NULL, &options->string_memory},
  };
  memcpy(list, known, sizeof(known));
}

void px_child_add_number(GPtrArray *argv, const char *name, uint64_t value) {
  g_ptr_array_insert(argv, (gint)argv->len - 1, g_strdup_printf("%s=%" PRIu64, name, value));
}

GPtrArray *px_child_arguments(const char *command, const PxFormatOptions *options) {
  PxFormatOptions copy = *options;
  Option list[N_OPTIONS];
  list_options(&copy, list);
  GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(argv, g_strdup("pattimpex"));
  g_ptr_array_add(argv, g_strdup(command));
  g_ptr_array_add(argv, g_strconcat("format=", px_format_name(options->format), NULL));
  for (size_t i = 0; i < N_OPTIONS; i++)
    if (list[i].number)
      g_ptr_array_add(argv, g_strdup_printf("%s=%" PRIu64, list[i].name, *list[i].number));
    else if (*list[i].text)
      g_ptr_array_add(argv, g_strconcat(list[i].name, "=", *list[i].text, NULL));
  g_ptr_array_add(argv, NULL);
  return argv;
}

int px_child_spawn(const GPtrArray *argv, const int *fds, int n_fds, pid_t *ret_pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t all;
  sigset_t none;
  char *const no_environment[] = {NULL};
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  int last = STDERR_FILENO;
  for (int i = 0; i < n_fds; i++)
    if (fds[i] >= 0) {
      posix_spawn_file_actions_adddup2(&files, fds[i], i);
      last = MAX(last, i);
    }
#ifndef PX_SANITIZED
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#endif
  posix_spawn_file_actions_addclosefrom_np(&files, last + 1);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  int problem = posix_spawn(ret_pid, "/proc/self/exe", &files, &attributes, (char *const *)argv->pdata, no_environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return problem;
}

bool px_child_reap(pid_t *pid, int *ret_status) {
  pid_t done;
  do
    done = waitpid(*pid, ret_status, 0);
  while (done < 0 && errno == EINTR);
  bool known = done == *pid;
  *pid = 0;
  return known;
}

bool px_child_own_fault(int signal) {
  static const int faults[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGSYS, SIGFPE, SIGTRAP, SIGXCPU, SIGXFSZ};
  for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
    if (faults[i] == signal)
      return true;
  return false;
}

bool px_child_read(int fd, void *to, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = read(fd, (char *)to + done, size - done);
    if (n == 0 || (n < 0 && errno != EINTR))
      return false;
    done += n > 0 ? (size_t)n : 0;
  }
  return true;
}

bool px_child_refuse_death(int status, const char *what, GError **error) {
  bool killed = WIFSIGNALED(status);
  bool refused = killed && px_child_own_fault(WTERMSIG(status));
  g_set_error(error, PX_ERROR,
              refused  ? PX_ERROR_REFUSED
              : killed ? PX_ERROR_TRANSIENT
                       : PX_ERROR_INTERNAL,
              "%s ended without an answer (%s)", what, killed ? strsignal(WTERMSIG(status)) : "by itself");
  return false;
}

/* ---- the child's side */

bool px_child_take_option(PxFormatOptions *options, const char *name, const char *value) {
  Option list[N_OPTIONS];
  list_options(options, list);
  if (strcmp(name, "format") == 0)
    return px_format_from_name(value, &options->format);
  for (size_t i = 0; i < N_OPTIONS; i++) {
    if (strcmp(name, list[i].name) != 0)
      continue;
    if (list[i].number)
      return g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, list[i].number, NULL);
    g_free(*list[i].text);
    *list[i].text = g_strdup(value);
    return true;
  }
  return false;
}

static void limit(__rlimit_resource_t resource, uint64_t most) {
  struct rlimit limits = {.rlim_cur = (rlim_t)most, .rlim_max = (rlim_t)most};
  (void)setrlimit(resource, &limits); /* only ever lowers; where it is refused the limit is lower already */
}

void px_child_confine(const PxChildLimits *limits) {
  struct stat blob;
  uint64_t megabytes = fstat(STDIN_FILENO, &blob) == 0 ? (uint64_t)blob.st_size / 1000000 : 0;
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, 60 + limits->seconds * megabytes); /* far more than any file needs: what loops for ever ends by SIGXCPU */
  limit(RLIMIT_FSIZE, limits->file_bytes);
  limit(RLIMIT_NOFILE, 16); /* iconv opens its tables */
#ifndef PX_SANITIZED
  limit(RLIMIT_AS, limits->memory);
  limit(RLIMIT_NPROC, 0);
  (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}
