/* SPDX-License-Identifier: Apache-2.0 */
/* The title of a process: written over its arguments and its environment, which stand one behind the other (proc(5), cmdline). */
#include "daemon/daemon_private.h"

#include <string.h>
#include <unistd.h>

static char *area; /* where the arguments begin; NULL: not kept */
static size_t area_size;
static bool moved; /* the environment lives elsewhere by now */

void px_title_keep(int argc, char **argv) {
  char *end = argc > 0 ? argv[0] : NULL;
  for (int i = 0; i < argc && argv[i] == end; i++)
    end = argv[i] + strlen(argv[i]) + 1;
  for (char **word = environ; end && word && *word && *word == end; word++)
    end = *word + strlen(*word) + 1;
  area = argc > 0 ? argv[0] : NULL;
  area_size = area ? (size_t)(end - area) : 0;
}

/* What getenv() gives must not change under its callers, so the copy stays for the life of the process. */
static void move_environment(void) {
  if (!moved && environ)
    environ = g_strdupv(environ);
  moved = true;
}

void px_title_set(const char *format, ...) {
  if (!area)
    return;
  move_environment();
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *title = g_strconcat("pattimpex: ", text, NULL);
  size_t size = MIN(strlen(title), area_size - 1);
  while (size > 0 && ((unsigned char)title[size] & 0xC0) == 0x80) /* no half of a character */
    size--;
  memcpy(area, title, size);
  memset(area + size, 0, area_size - size);
}
