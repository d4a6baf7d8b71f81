/* SPDX-License-Identifier: Apache-2.0 */
#include "format/format.h"

#include <string.h>

#define MAX_ROW_BYTES ((uint64_t)16 * 1024 * 1024)
#define MAX_CELLS 16384
#define MAX_MEMBERS 10000
#define MAX_MEMBER_BYTES ((uint64_t)4 * 1024 * 1024 * 1024)
#define MAX_RATIO 400
#define MAX_TEXT_BYTES (4 * 32767)
#define MAX_DEPTH 64
#define STRING_MEMORY ((uint64_t)16 * 1024 * 1024)

void px_format_options_init(PxFormatOptions *options, PxFormat format) {
  *options = (PxFormatOptions){
    .format = format,
    .delimiter = g_strdup(","),
    .quote = g_strdup("\""),
    .true_word = g_strdup("true"),
    .false_word = g_strdup("false"),
    .max_row_bytes = MAX_ROW_BYTES,
    .max_cells = MAX_CELLS,
    .max_members = MAX_MEMBERS,
    .max_member_bytes = MAX_MEMBER_BYTES,
    .max_ratio = MAX_RATIO,
    .max_text_bytes = MAX_TEXT_BYTES,
    .max_depth = MAX_DEPTH,
    .string_memory = STRING_MEMORY,
    .spill_fd = -1,
  };
}

void px_format_options_done(PxFormatOptions *options) {
  g_free(options->delimiter);
  g_free(options->quote);
  g_free(options->encoding);
  g_free(options->true_word);
  g_free(options->false_word);
  g_free(options->sheet);
  *options = (PxFormatOptions){0};
}

void px_format_options_copy(const PxFormatOptions *options, PxFormatOptions *ret_copy) {
  PxFormatOptions copy = *options;
  copy.delimiter = g_strdup(options->delimiter);
  copy.quote = g_strdup(options->quote);
  copy.encoding = g_strdup(options->encoding);
  copy.true_word = g_strdup(options->true_word);
  copy.false_word = g_strdup(options->false_word);
  copy.sheet = g_strdup(options->sheet);
  *ret_copy = copy;
}

static const char *const names[] = {[PX_FORMAT_CSV] = "csv", [PX_FORMAT_XLSX] = "xlsx", [PX_FORMAT_JSON] = "json"};

const char *px_format_name(PxFormat format) {
  return names[format];
}

bool px_format_from_name(const char *name, PxFormat *ret_format) {
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (strcmp(name, names[i]) == 0) {
      *ret_format = (PxFormat)i;
      return true;
    }
  return false;
}
