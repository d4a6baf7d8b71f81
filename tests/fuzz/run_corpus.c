/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds each file of the directories named to a fuzz target, without a fuzzer: what was found once stays found. */
#include "fuzz.h"

#include <glib.h>
#include <stdio.h>

static unsigned run_directory(const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GDir) directory = g_dir_open(path, 0, &error);
  if (!directory)
    g_error("%s", error->message);
  unsigned files = 0;
  for (const char *name = g_dir_read_name(directory); name; name = g_dir_read_name(directory), files++) {
    g_autofree char *file = g_build_filename(path, name, NULL);
    g_autofree char *bytes = NULL;
    size_t size;
    if (!g_file_get_contents(file, &bytes, &size, &error))
      g_error("%s", error->message);
    printf("# %s\n", name);
    LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
  }
  return files;
}

int main(int argc, char **argv) {
  unsigned files = 0;
  for (int i = 1; i < argc; i++)
    files += run_directory(argv[i]);
  printf("%s 1 - %u files\n1..1\n", files ? "ok" : "not ok", files);
  return files ? 0 : 1;
}
