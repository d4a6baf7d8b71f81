/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Reads to the end, whatever kind of file it is: a configuration may come through a pipe. */
static GString *read_all(int fd, size_t limit, char **ret_problem) {
  GString *bytes = g_string_new(NULL);
  char piece[16384];
  ssize_t got;
  while ((got = read(fd, piece, sizeof piece)) != 0) {
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      *ret_problem = g_strdup(g_strerror(errno));
    else if (bytes->len + (size_t)got > limit)
      *ret_problem = g_strdup_printf("longer than %zu KiB", limit / 1024);
    if (*ret_problem) {
      g_string_free(bytes, TRUE);
      return NULL;
    }
    g_string_append_len(bytes, piece, got);
  }
  return bytes;
}

char *px_config_read_file(const char *path, size_t limit, size_t *ret_len, char **ret_problem) {
  *ret_problem = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    *ret_problem = g_strdup(g_strerror(errno));
    return NULL;
  }
  GString *bytes = read_all(fd, limit, ret_problem);
  (void)close(fd);
  if (!bytes)
    return NULL;
  const char *end = NULL;
  if (!g_utf8_validate_len(bytes->str, bytes->len, &end)) {
    unsigned line = 1;
    for (const char *c = bytes->str; c < end; c++)
      line += *c == '\n';
    *ret_problem = g_strdup_printf("line %u: %s; write the file in UTF-8", line, *end ? "bytes that are not UTF-8" : "a NUL byte");
    g_string_free(bytes, TRUE);
    return NULL;
  }
  *ret_len = bytes->len;
  return g_string_free(bytes, FALSE);
}
