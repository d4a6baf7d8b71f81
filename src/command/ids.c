/* SPDX-License-Identifier: Apache-2.0 */
#include "command/ids.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool add(GArray *ids, char *text) {
  PxId id = px_id_from_text(g_strstrip(text));
  if (px_id_is_none(id))
    return false;
  g_array_append_val(ids, id);
  return true;
}

bool px_ids_from_text(GArray *ids, const char *text, GError **error) {
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  for (char **part = parts; *part; part++) {
    if (add(ids, *part))
      continue;
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "--ids: \"%s\" is no id: write them as in 1,2,3", *part);
    return false;
  }
  return true;
}

/* The first cell of a line, without quotes; in place. */
static char *first_cell(char *line) {
  static const char mark[] = "\xef\xbb\xbf";
  if (g_str_has_prefix(line, mark))
    line += strlen(mark);
  line[strcspn(line, ",;\t\r\n")] = 0;
  line = g_strstrip(line);
  size_t len = strlen(line);
  if (len >= 2 && line[0] == '"' && line[len - 1] == '"') {
    line[len - 1] = 0;
    line++;
  }
  return line;
}

static bool read_lines(GArray *ids, FILE *file, const char *path, GError **error) {
  char *line = NULL;
  size_t room = 0;
  bool good = true;
  for (guint64 number = 1; good && getline(&line, &room, file) >= 0; number++) {
    char *cell = first_cell(line);
    good = !*cell || add(ids, cell) || number == 1;
    if (!good)
      g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s:%" G_GUINT64_FORMAT ": \"%s\" is no id", path, number, cell);
  }
  free(line);
  if (good && ferror(file)) {
    g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "%s: cannot read: %s", path, g_strerror(errno));
    return false;
  }
  return good;
}

bool px_ids_from_file(GArray *ids, const char *path, GError **error) {
  if (g_str_equal(path, "-"))
    return read_lines(ids, stdin, "standard input", error);
  FILE *file = fopen(path, "re");
  if (!file) {
    g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "%s: cannot open: %s", path, g_strerror(errno));
    return false;
  }
  bool good = read_lines(ids, file, path, error);
  (void)fclose(file);
  return good;
}
