/* SPDX-License-Identifier: Apache-2.0 */
/* How the cells of a pattern, or of one of its fields, are read and written. */
#include "pattern/pattern_private.h"

#include <string.h>

#define MAX_WORDS 32 /* or formats: each is tried for each cell */

typedef struct {
  const PxPatternReader *reader;
  const char *what;
} Place;

/* The texts of a scalar or a sequence of scalars, a NULL at their end. NULL: complained of. */
static const char **read_texts(const Place *place, const PxConfigNode *node, const char *key) {
  PxArena *arena = place->reader->arena;
  bool is_list = px_node_type(node) == PX_NODE_SEQUENCE;
  size_t n = is_list ? px_node_count(node) : 1;
  if (n < 1 || n > MAX_WORDS) {
    px_complain(place->reader->complaints, node, "%s: %s: from 1 to %d texts are expected", place->what, key, MAX_WORDS);
    return NULL;
  }
  const char **texts = px_arena_new_array(arena, const char *, n + 1);
  for (size_t i = 0; i < n; i++) {
    const char *text = px_node_text(is_list ? px_node_at(node, i) : node);
    if (!text) {
      px_complain(place->reader->complaints, node, "%s: %s: a text or a list of texts is expected", place->what, key);
      return NULL;
    }
    texts[i] = px_arena_strndup(arena, text, strlen(text));
  }
  return texts;
}

/* ---- booleans */

static bool has_word(const char *const *words, const char *word) {
  for (; *words; words++)
    if (g_ascii_strcasecmp(*words, word) == 0)
      return true;
  return false;
}

static void take_booleans(const Place *place, const PxConfigNode *node, PxConvertOptions *options) {
  bool is_map = px_node_type(node) == PX_NODE_MAP;
  const PxConfigNode *yes = is_map ? px_node_get(node, "true") : px_node_at(node, 0);
  const PxConfigNode *no = is_map ? px_node_get(node, "false") : px_node_at(node, 1);
  if (!yes || !no || px_node_count(node) != 2) {
    px_complain(place->reader->complaints, node, "%s: booleans: two words are expected, as in [yes, no], or {true: [yes, y], false: [no, n]}",
                place->what);
    return;
  }
  const char **true_words = read_texts(place, yes, "booleans");
  const char **false_words = true_words ? read_texts(place, no, "booleans") : NULL;
  if (!false_words)
    return;
  for (const char **word = true_words; *word; word++) {
    if (has_word(false_words, *word))
      px_complain(place->reader->complaints, node, "%s: booleans: \"%s\" cannot be true and false", place->what, *word);
    else if (!**word)
      px_complain(place->reader->complaints, node, "%s: booleans: an empty cell is false", place->what);
  }
  options->true_words = true_words;
  options->false_words = false_words;
  options->own_booleans = true;
}

/* ---- dates */

static void take_formats(const Place *place, const PxConfigNode *node, const char *key, bool with_time, const char *const **ret_formats) {
  const char **formats = read_texts(place, node, key);
  for (const char **format = formats; format && *format; format++) {
    g_autofree char *problem = px_time_format_problem(*format, with_time);
    if (problem)
      px_complain(place->reader->complaints, node, "%s: %s: \"%s\": %s", place->what, key, *format, problem);
    if (problem)
      return;
  }
  if (formats)
    *ret_formats = formats;
}

/* ---- numbers */

static void take_thousands(const Place *place, const PxConfigNode *node, const PxConvertSettings *settings, PxConvertOptions *options) {
  static const char *const allowed[] = {".", ",", " ", "'", "\u00A0", "\u202F", "\u2009", "\u2019", "_", NULL};
  const char *thousands = settings->thousands;
  if (!thousands)
    return;
  const PxConfigNode *place_of = px_node_get(node, "thousands");
  if (!g_strv_contains(allowed, thousands))
    px_complain(place->reader->complaints, place_of, "%s: thousands: a point, a comma, a blank, an apostrophe or _ is expected", place->what);
  else
    options->thousands = px_arena_strndup(place->reader->arena, thousands, strlen(thousands));
}

static void check_marks(const Place *place, const PxConfigNode *node, const PxConvertOptions *options) {
  if (options->thousands && g_str_equal(options->thousands, options->decimal_comma ? "," : "."))
    px_complain(place->reader->complaints, px_node_get(node, px_node_get(node, "thousands") ? "thousands" : "decimal_comma"),
                "%s: thousands: \"%s\" is the decimal mark%s", place->what, options->thousands,
                options->decimal_comma ? "" : "; decimal_comma: true makes that a comma");
}

PxConvertOwn px_pattern_read_convert(const PxPatternReader *reader, const PxConfigNode *node, const char *what, const PxConvertSettings *settings,
                                     const PxConvertOptions *base) {
  const Place place = {.reader = reader, .what = what};
  PxConvertOwn own = {.options = {.decimal_comma = settings->decimal_comma, .serials = settings->excel_serials}};
  PxConvertOptions *options = &own.options;
  if (settings->booleans)
    take_booleans(&place, settings->booleans, options);
  if (settings->date_format)
    take_formats(&place, settings->date_format, "date_format", false, &options->date_formats);
  if (settings->datetime_format)
    take_formats(&place, settings->datetime_format, "datetime_format", true, &options->datetime_formats);
  take_thousands(&place, node, settings, options);
  own.given = (options->own_booleans ? PX_OWN_BOOLEANS : 0U) | (options->date_formats ? PX_OWN_DATE_FORMATS : 0U) |
              (options->datetime_formats ? PX_OWN_DATETIME_FORMATS : 0U) | (px_node_get(node, "excel_serials") ? PX_OWN_SERIALS : 0U) |
              (px_node_get(node, "decimal_comma") ? PX_OWN_DECIMAL_COMMA : 0U) | (options->thousands ? PX_OWN_THOUSANDS : 0U);
  PxConvertOptions all = px_convert_options_with(base, &own);
  if (own.given & (PX_OWN_DECIMAL_COMMA | PX_OWN_THOUSANDS))
    check_marks(&place, node, &all);
  return own;
}

/* ---- which column has which */

/* What stands behind the field's path in a column's, NULL: it is another one. */
static const char *behind_path(const PxPattern *pattern, const PxExportField *field, const char *path) {
  const PxModel *model = pattern->model;
  for (size_t i = 0; i < field->n_path; i++) {
    const PxField *step = field->path[i];
    const char *name = !step ? "id" : step == model->id ? ".id" : step->name;
    if (i && *path++ != '|')
      return NULL;
    size_t len = strlen(name);
    if (strncmp(path, name, len) != 0)
      return NULL;
    path += len;
    if (i + 1 < field->n_path)
      model = step->target;
  }
  return path;
}

const PxConvertOwn *px_pattern_convert(const PxPattern *pattern, const char *path) {
  for (size_t i = 0; i < pattern->n_fields; i++) {
    const PxExportField *field = &pattern->fields[i];
    const char *rest = field->n_path && (field->convert || field->items) ? behind_path(pattern, field, path) : NULL;
    const PxConvertOwn *found = NULL;
    if (rest && field->items && *rest == '|')
      found = px_pattern_convert(field->items, rest + 1);
    else if (rest && !*rest)
      found = field->convert;
    if (found)
      return found;
  }
  return NULL;
}
