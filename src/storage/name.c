/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/name_private.h"

#include "storage/storage.h"

#include <string.h>
#include <sys/random.h>

#define NAME_BYTES 255
#define OURS ".pattimpex-"

const char *px_name_problem_of_own(const char *name) {
  if (!*name)
    return "the name is empty";
  if (strlen(name) > NAME_BYTES)
    return "the name is longer than 255 bytes";
  if (strchr(name, '/'))
    return "the name has a / in it";
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return "the name is a directory's";
  if (!g_utf8_validate(name, -1, NULL))
    return "the name is not UTF-8";
  for (const char *c = name; *c; c += g_utf8_skip[(unsigned char)*c]) {
    if (g_unichar_iscntrl(g_utf8_get_char(c)))
      return "the name has a control character in it";
  }
  return NULL;
}

const char *px_storage_name_problem(const char *name) {
  const char *problem = px_name_problem_of_own(name);
  if (!problem && g_str_has_prefix(name, OURS))
    return "names that begin with .pattimpex- are the program's own";
  return problem;
}

bool px_name_is_leftover(const char *name) {
  return g_str_has_prefix(name, OURS) && g_ascii_isdigit(name[strlen(OURS)]);
}

bool px_name_temporary(const char *suffix, char **ret_name, GError **error) {
  uint64_t number;
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the kernel gives no random number");
    return false;
  }
  *ret_name = g_strdup_printf(PX_TEMPORARY_PREFIX "%016" G_GINT64_MODIFIER "x%s", number, suffix);
  return true;
}

char *px_name_numbered(const char *name, unsigned number) {
  if (number == 0)
    return g_strdup(name);
  const char *dot = strrchr(name, '.');
  if (!dot || dot == name)
    dot = name + strlen(name);
  g_autofree char *tail = g_strdup_printf("-%u%s", number, dot);
  size_t stem = (size_t)(dot - name);
  size_t most = strlen(tail) < NAME_BYTES ? NAME_BYTES - strlen(tail) : 1;
  if (stem > most) {
    stem = most;
    while (stem > 0 && ((unsigned char)name[stem] & 0xC0) == 0x80)
      stem--;
  }
  return g_strdup_printf("%.*s%s", (int)stem, name, tail);
}

char *px_name_place(const char *path, const char *name) {
  if (!name)
    return g_strdup(*path ? path : "its directory");
  return *path ? g_strconcat(path, "/", name, NULL) : g_strdup(name);
}

const char *px_name_clean_path(const char *path, char **ret_path) {
  if (*path == '/')
    return "it begins with /, but is to be relative to the storage's directory";
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  g_autoptr(GString) clean = g_string_new(NULL);
  for (char **part = parts; *part; part++) {
    if (!**part || strcmp(*part, ".") == 0)
      continue;
    if (strcmp(*part, "..") == 0)
      return "it has .. in it, but cannot leave the storage's directory";
    const char *problem = px_name_problem_of_own(*part);
    if (problem)
      return problem;
    g_string_append_printf(clean, "%s%s", clean->len > 0 ? "/" : "", *part);
  }
  *ret_path = g_strdup(clean->str);
  return NULL;
}
