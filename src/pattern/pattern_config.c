/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern/pattern_private.h"

#include <stddef.h>

#define MAX_CHUNK_ROWS 1000000
#define PARTITIONS 8 /* process_multi: true */
#define MAX_PARTITIONS 64
#define NOT_SAID UINT64_MAX

static const char *const format_names[] = {"csv", "xlsx", "json", NULL};
static const char *const header_names[] = {"technical", "description_and_tech", "custom", NULL};
static const char *const on_error_names[] = {"skip", "abort", NULL};
static const char *const error_file_names[] = {"bad", "all", NULL};
static const char *const tab_names[] = {"first", "match_name", NULL};
static const char *const json_style_names[] = {"flat", "nested", NULL};
static const char *const line_end_names[] = {"crlf", "lf", "cr", NULL};

/* ---- the pattern's own keys */

typedef struct {
  char *model, *sheet, *renamed_from;
  int format, header, on_error, error_file, tab_to_import, json_style;
  const PxConfigNode *fields, *csv, *json, *limits, *headers, *defaults, *purge_one2many, *process_multi;
  char **order;
  bool create, update, update_many2many, trust_references, exact;
  uint64_t chunk_size, max_errors, priority;
  PxConvertSettings convert;
  char *channel;
} Settings;

#define KEY(key, kind, ...)                                                                                                                          \
  { .name = #key, .type = kind, .offset = offsetof(Settings, key), __VA_ARGS__ }
static const PxKey keys[] = {
  KEY(model, PX_KEY_STRING, .required = true),
  KEY(format, PX_KEY_CHOICE, .choices = format_names),
  KEY(fields, PX_KEY_NODE),
  KEY(header, PX_KEY_CHOICE, .choices = header_names),
  KEY(order, PX_KEY_STRINGS),
  KEY(csv, PX_KEY_NODE),
  KEY(json, PX_KEY_NODE),
  KEY(json_style, PX_KEY_CHOICE, .choices = json_style_names),
  KEY(sheet, PX_KEY_STRING),
  KEY(tab_to_import, PX_KEY_CHOICE, .choices = tab_names),
  KEY(limits, PX_KEY_NODE),
  KEY(headers, PX_KEY_NODE),
  KEY(defaults, PX_KEY_NODE),
  KEY(create, PX_KEY_BOOLEAN),
  KEY(update, PX_KEY_BOOLEAN),
  KEY(update_many2many, PX_KEY_BOOLEAN),
  KEY(trust_references, PX_KEY_BOOLEAN),
  KEY(purge_one2many, PX_KEY_NODE),
  KEY(on_error, PX_KEY_CHOICE, .choices = on_error_names),
  KEY(error_file, PX_KEY_CHOICE, .choices = error_file_names),
  KEY(max_errors, PX_KEY_UNSIGNED),
  KEY(chunk_size, PX_KEY_UNSIGNED, .max = MAX_CHUNK_ROWS),
  KEY(exact, PX_KEY_BOOLEAN),
  KEY(process_multi, PX_KEY_NODE),
  KEY(renamed_from, PX_KEY_STRING),
  PX_CONVERT_KEYS(Settings),
  KEY(priority, PX_KEY_UNSIGNED, .max = 1000000),
  KEY(channel, PX_KEY_STRING),
};
#undef KEY

static void settings_done(Settings *settings) {
  g_free(settings->model);
  g_free(settings->sheet);
  g_free(settings->renamed_from);
  g_free(settings->convert.thousands);
  g_free(settings->channel);
  g_strfreev(settings->order);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_done)

/* ---- csv: */

typedef struct {
  char *delimiter, *quote, *encoding;
  bool bom, quote_all, escape_formulas;
  int line_end;
  char **booleans;
} CsvSettings;

#define KEY(key, kind, ...)                                                                                                                          \
  { .name = #key, .type = kind, .offset = offsetof(CsvSettings, key), __VA_ARGS__ }
static const PxKey csv_keys[] = {
  KEY(delimiter, PX_KEY_STRING),
  KEY(quote, PX_KEY_STRING),
  KEY(encoding, PX_KEY_STRING),
  KEY(bom, PX_KEY_BOOLEAN),
  KEY(line_end, PX_KEY_CHOICE, .choices = line_end_names),
  KEY(quote_all, PX_KEY_BOOLEAN),
  KEY(booleans, PX_KEY_STRINGS),
  KEY(escape_formulas, PX_KEY_BOOLEAN),
};
#undef KEY

static void csv_settings_done(CsvSettings *settings) {
  g_free(settings->delimiter);
  g_free(settings->quote);
  g_free(settings->encoding);
  g_strfreev(settings->booleans);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CsvSettings, csv_settings_done)

static bool is_one_character(const char *text) {
  return g_utf8_strlen(text, -1) == 1 && !strchr("\r\n", *text);
}

static void replace(char **member, char *value) {
  g_free(*member);
  *member = value;
}

static void take_delimiter(const PxPatternReader *reader, const PxConfigNode *node, const char *what, const CsvSettings *csv,
                           PxFormatOptions *options) {
  if (csv->delimiter) {
    const char *delimiter = g_str_equal(csv->delimiter, "tab") ? "\t" : csv->delimiter;
    if (is_one_character(delimiter))
      replace(&options->delimiter, g_strdup(delimiter));
    else
      px_complain(reader->complaints, px_node_get(node, "delimiter"), "%s: delimiter: one character is expected (or tab)", what);
  }
  if (csv->quote) {
    if (*csv->quote == '\0' || is_one_character(csv->quote))
      replace(&options->quote, g_strdup(csv->quote));
    else
      px_complain(reader->complaints, px_node_get(node, "quote"), "%s: quote: one character is expected (or \"\": nothing is quoted)", what);
  }
  if (g_str_equal(options->delimiter, options->quote))
    px_complain(reader->complaints, node, "%s: delimiter and quote are the same", what);
}

static void take_encoding(const PxPatternReader *reader, const PxConfigNode *node, const char *what, const char *encoding, PxFormatOptions *options) {
  if (!encoding)
    return;
  GIConv conversion = g_iconv_open("UTF-8", encoding);
  if (conversion == (GIConv)-1) {
    px_complain(reader->complaints, px_node_get(node, "encoding"), "%s: encoding: %s is not known (iconv -l lists the names)", what, encoding);
    return;
  }
  g_iconv_close(conversion);
  replace(&options->encoding, g_strdup(encoding));
}

static void read_csv(const PxPatternReader *reader, const char *pattern, const PxConfigNode *node, PxFormatOptions *options) {
  g_autofree char *what = g_strdup_printf("pattern %s: csv", pattern);
  g_auto(CsvSettings) csv = {.line_end = PX_LINE_CRLF};
  px_config_read(node, csv_keys, G_N_ELEMENTS(csv_keys), &csv, what, reader->complaints);
  take_delimiter(reader, node, what, &csv, options);
  take_encoding(reader, node, what, csv.encoding, options);
  options->bom = csv.bom;
  options->line_end = (PxLineEnd)csv.line_end;
  options->quote_all = csv.quote_all;
  options->formula_guard = csv.escape_formulas ? PX_FORMULA_ESCAPE : PX_FORMULA_KEEP;
  if (!csv.booleans)
    return;
  if (g_strv_length(csv.booleans) != 2 || g_str_equal(csv.booleans[0], csv.booleans[1])) {
    px_complain(reader->complaints, px_node_get(node, "booleans"), "%s: booleans: two words are expected, as in [yes, no]", what);
    return;
  }
  replace(&options->true_word, g_strdup(csv.booleans[0]));
  replace(&options->false_word, g_strdup(csv.booleans[1]));
}

/* ---- json: */

typedef struct {
  bool lines;
} JsonSettings;

static const PxKey json_keys[] = {
  {.name = "lines", .type = PX_KEY_BOOLEAN, .offset = offsetof(JsonSettings, lines)},
};

static void read_json(const PxPatternReader *reader, const char *pattern, const PxConfigNode *node, PxFormatOptions *options) {
  g_autofree char *what = g_strdup_printf("pattern %s: json", pattern);
  JsonSettings json = {0};
  px_config_read(node, json_keys, G_N_ELEMENTS(json_keys), &json, what, reader->complaints);
  options->json_lines = json.lines;
}

/* ---- limits: */

typedef struct {
  uint64_t row_bytes, cells;
  uint64_t members, member_bytes, ratio, text_bytes, depth, string_memory; /* of workbooks */
} Limits;

static const PxKey limit_keys[] = {
  {.name = "row_bytes", .type = PX_KEY_SIZE, .offset = offsetof(Limits, row_bytes)},
  {.name = "cells", .type = PX_KEY_UNSIGNED, .offset = offsetof(Limits, cells), .min = 1, .max = 1000000},
  {.name = "members", .type = PX_KEY_UNSIGNED, .offset = offsetof(Limits, members), .min = 1, .max = 1000000},
  {.name = "member_bytes", .type = PX_KEY_SIZE, .offset = offsetof(Limits, member_bytes)},
  {.name = "ratio", .type = PX_KEY_UNSIGNED, .offset = offsetof(Limits, ratio), .min = 1, .max = 100000},
  {.name = "text_bytes", .type = PX_KEY_SIZE, .offset = offsetof(Limits, text_bytes)},
  {.name = "depth", .type = PX_KEY_UNSIGNED, .offset = offsetof(Limits, depth), .min = 8, .max = 64},
  {.name = "string_memory", .type = PX_KEY_SIZE, .offset = offsetof(Limits, string_memory)},
};

static void read_limits(const PxPatternReader *reader, const char *pattern, const PxConfigNode *node, PxFormatOptions *options) {
  g_autofree char *what = g_strdup_printf("pattern %s: limits", pattern);
  Limits limits = {.row_bytes = options->max_row_bytes,
                   .cells = options->max_cells,
                   .members = options->max_members,
                   .member_bytes = options->max_member_bytes,
                   .ratio = options->max_ratio,
                   .text_bytes = options->max_text_bytes,
                   .depth = options->max_depth,
                   .string_memory = options->string_memory};
  px_config_read(node, limit_keys, G_N_ELEMENTS(limit_keys), &limits, what, reader->complaints);
  /* A cell of a row batch has less than 256 MiB. */
  if (limits.row_bytes < 1 || limits.row_bytes >= (uint64_t)256 * 1024 * 1024)
    px_complain(reader->complaints, px_node_get(node, "row_bytes"), "%s: row_bytes: from 1 byte to less than 256 MiB is expected", what);
  options->max_row_bytes = limits.row_bytes;
  options->max_cells = limits.cells;
  options->max_members = limits.members;
  options->max_member_bytes = limits.member_bytes;
  options->max_ratio = limits.ratio;
  options->max_text_bytes = limits.text_bytes;
  options->max_depth = limits.depth;
  options->string_memory = limits.string_memory;
}

/* ---- order: */

static const PxField *order_field(const PxPatternReader *reader, const PxConfigNode *node, const PxPattern *pattern, const char *name) {
  const PxModel *model = pattern->model;
  const PxField *field = g_str_equal(name, ".id") ? model->id : px_model_field(model, name);
  if (field && !px_field_is_x2many(field))
    return field;
  g_autofree char *meant = field ? g_strdup("") : px_model_did_you_mean(model, name);
  px_complain(reader->complaints, node, "pattern %s: order: %s %s%s", pattern->name, name,
              field ? "is a list of records, which has no order" : "is no field of the model", meant);
  return NULL;
}

static void read_order(const PxPatternReader *reader, const PxConfigNode *node, char **names, PxPattern *pattern) {
  size_t n = g_strv_length(names);
  const PxField **fields = px_arena_new_array(reader->arena, const PxField *, n);
  bool *descending = px_arena_new_array(reader->arena, bool, n);
  for (size_t i = 0; i < n; i++) {
    bool minus = names[i][0] == '-';
    const PxField *field = order_field(reader, node, pattern, names[i] + minus);
    if (!field)
      continue;
    fields[pattern->n_order] = field;
    descending[pattern->n_order++] = minus;
  }
  pattern->order = fields;
  pattern->order_descending = descending;
}

/* ---- one pattern */

static char *copy_text(PxArena *arena, const char *text) {
  return text ? px_arena_strndup(arena, text, strlen(text)) : NULL;
}

static void take_format(const PxPatternReader *reader, const PxConfigNode *node, const Settings *settings, PxPattern *pattern) {
  PxFormatOptions *options = &pattern->format;
  px_format_options_init(options, (PxFormat)settings->format);
  bool by_name = settings->tab_to_import == 1;
  if (by_name && settings->sheet)
    px_complain(reader->complaints, px_node_get(node, "sheet"), "pattern %s: sheet and tab_to_import: match_name say two things: leave one out",
                pattern->name);
  replace(&options->sheet, g_strdup(by_name ? pattern->name : settings->sheet));
  if (settings->csv)
    read_csv(reader, pattern->name, settings->csv, options);
  if (settings->json)
    read_json(reader, pattern->name, settings->json, options);
  /* Names of one's own are no paths. */
  options->json_nested = settings->json_style == 1 && settings->header != PX_HEADER_CUSTOM;
  if (settings->limits)
    read_limits(reader, pattern->name, settings->limits, options);
}

/* Adds the patterns that a pattern refers to, and those that these refer to. */
static void collect_subs(const PxPatternReader *reader, const PxConfigNode *pattern, GHashTable *names) {
  const PxConfigNode *fields = px_node_get(pattern, "fields");
  for (size_t i = 0; i < px_node_count(fields); i++) {
    const char *name = px_node_text(px_node_get(px_node_at(fields, i), "pattern"));
    const PxConfigNode *sub = name ? px_node_get(reader->section, name) : NULL;
    if (sub && g_hash_table_add(names, (gpointer)(uintptr_t)name))
      collect_subs(reader, sub, names);
  }
}

static void append_json_text(GString *out, const char *text) {
  g_string_append_c(out, '"');
  for (; *text; text++) {
    if ((unsigned char)*text < ' ' || strchr("\"\\", *text))
      g_string_append_printf(out, "\\u%04x", (unsigned)*text);
    else
      g_string_append_c(out, *text);
  }
  g_string_append_c(out, '"');
}

/* What px_patterns_from_snapshot() reads: {"pattern": ..., "patterns": {...}, "filters": {...}}. */
static const char *make_snapshot(const PxPatternReader *reader, const PxConfigNode *node) {
  g_autoptr(GString) text = g_string_new("{\"pattern\": ");
  g_autofree char *own = px_node_to_json(node);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  collect_subs(reader, node, names);
  g_string_append(text, own);
  const char *separator = ", \"patterns\": {";
  for (size_t i = 0; i < px_node_count(reader->section); i++) { /* in their order: the same configuration gives the same text */
    const char *name = px_node_key_at(reader->section, i);
    if (!g_hash_table_contains(names, name))
      continue;
    g_autofree char *sub = px_node_to_json(px_node_at(reader->section, i));
    g_string_append(text, separator);
    append_json_text(text, name);
    g_string_append_printf(text, ": %s", sub);
    separator = ", ";
  }
  g_string_append(text, g_hash_table_size(names) ? "}" : "");
  if (reader->filters) {
    g_autofree char *filters = px_node_to_json(reader->filters);
    g_string_append_printf(text, ", \"filters\": %s", filters);
  }
  g_string_append_c(text, '}');
  return px_arena_strndup(reader->arena, text->str, text->len);
}

static PxPurgeMode read_purge(const PxPatternReader *reader, const char *pattern, const PxConfigNode *node) {
  const char *text = px_node_text(node);
  bool purges = false;
  if (px_node_type(node) == PX_NODE_NULL)
    return PX_PURGE_NO;
  if (text && g_ascii_strcasecmp(text, "delete") == 0)
    return PX_PURGE_DELETE;
  if (!text || !px_config_parse_boolean(text, &purges)) {
    g_autofree char *shown = px_node_shown(node);
    px_complain(reader->complaints, node, "pattern %s: purge_one2many: false, true or delete is expected, not %s", pattern, shown);
  }
  return purges ? PX_PURGE_DETACH : PX_PURGE_NO;
}

/* The words of csv: are written by the writer, and read beside all others. */
static void take_csv_booleans(const PxPatternReader *reader, const PxFormatOptions *format, PxConvertOptions *convert) {
  const char **words = px_arena_new_array(reader->arena, const char *, 4);
  words[0] = copy_text(reader->arena, format->true_word);
  words[2] = copy_text(reader->arena, format->false_word);
  convert->true_words = words;
  convert->false_words = words + 2;
}

static void take_convert(const PxPatternReader *reader, const PxConfigNode *node, const Settings *settings, PxPattern *pattern) {
  PxFormat format = pattern->format.format;
  PxConvertOptions *convert = &pattern->convert;
  g_autofree char *what = g_strdup_printf("pattern %s", pattern->name);
  *convert = (PxConvertOptions){
    .timezone = reader->timezone, .exact = settings->exact, .sheet = format == PX_FORMAT_XLSX, .native_numbers = format != PX_FORMAT_CSV};
  if (format == PX_FORMAT_CSV) {
    convert->formulas_escaped = pattern->format.formula_guard == PX_FORMULA_ESCAPE;
    take_csv_booleans(reader, &pattern->format, convert);
  }
  PxConvertOwn own = px_pattern_read_convert(reader, node, what, &settings->convert, convert);
  *convert = px_convert_options_with(convert, &own);
}

static unsigned read_partitions(const PxPatternReader *reader, const char *pattern, const PxConfigNode *node) {
  const char *text = px_node_text(node);
  bool wanted = false;
  guint64 n = 0;
  if (!node || px_node_type(node) == PX_NODE_NULL)
    return 0;
  if (text && px_config_parse_boolean(text, &wanted))
    return wanted ? PARTITIONS : 0;
  if (text && g_ascii_string_to_unsigned(text, 10, 2, MAX_PARTITIONS, &n, NULL))
    return (unsigned)n;
  g_autofree char *shown = px_node_shown(node);
  px_complain(reader->complaints, node, "pattern %s: process_multi: true, false or a number from 2 to %d is expected, not %s", pattern,
              MAX_PARTITIONS, shown);
  return 0;
}

static void take_channel(const PxPatternReader *reader, const PxConfigNode *node, const char *text, PxPattern *pattern) {
  g_autofree char *channel = text ? px_config_parse_channel(text) : NULL;
  if (text && !channel)
    px_complain(reader->complaints, px_node_get(node, "channel"),
                "pattern %s: channel: \"%s\" is no name of a channel: write one such as root.pattern.import", pattern->name, text);
  pattern->channel = copy_text(reader->arena, channel);
}

static void take_settings(const PxPatternReader *reader, const PxConfigNode *node, const Settings *settings, PxPattern *pattern) {
  pattern->header = (PxHeaderStyle)settings->header;
  pattern->create = settings->create;
  pattern->update = settings->update;
  pattern->abort = settings->on_error == 1;
  pattern->error_rows_all = settings->error_file == 1;
  pattern->update_many2many = settings->update_many2many;
  pattern->trust_references = settings->trust_references;
  pattern->purge_one2many = read_purge(reader, pattern->name, settings->purge_one2many);
  pattern->chunk_size = settings->chunk_size;
  pattern->max_errors = settings->max_errors;
  pattern->partitions = read_partitions(reader, pattern->name, settings->process_multi);
  take_convert(reader, node, settings, pattern);
  pattern->renamed_from = copy_text(reader->arena, settings->renamed_from);
  pattern->priority = settings->priority == NOT_SAID ? -1 : (int64_t)settings->priority;
  take_channel(reader, node, settings->channel, pattern);
  pattern->snapshot = make_snapshot(reader, node);
  if (!settings->create && !settings->update)
    px_complain(reader->complaints, px_node_get(node, "update"), "pattern %s: create: false and update: false together leave nothing to do",
                pattern->name);
}

bool px_pattern_read(const PxPatternReader *reader, const char *name, const PxConfigNode *node, PxPattern *pattern) {
  g_autofree char *what = g_strdup_printf("pattern %s", name);
  g_auto(Settings) settings = {.create = true, .update = true, .priority = NOT_SAID};
  px_config_read(node, keys, G_N_ELEMENTS(keys), &settings, what, reader->complaints);
  if (!settings.model)
    return false;
  pattern->name = copy_text(reader->arena, name);
  pattern->model = px_schema_model(reader->schema, settings.model);
  if (!pattern->model) {
    g_autofree char *meant = px_schema_did_you_mean(reader->schema, settings.model);
    px_complain(reader->complaints, px_node_get(node, "model"), "%s: the database has no model %s%s", what, settings.model, meant);
    return false;
  }
  take_format(reader, node, &settings, pattern);
  take_settings(reader, node, &settings, pattern);
  if (settings.order)
    read_order(reader, px_node_get(node, "order"), settings.order, pattern);
  px_pattern_read_names(reader, settings.headers, pattern);
  px_pattern_read_fields(reader, settings.fields, pattern);
  px_pattern_read_defaults(reader, settings.defaults, pattern);
  return true;
}
