/* SPDX-License-Identifier: Apache-2.0 */
/* Names of files with ${...} in them: new_name, file_name. */
#include "base/text.h"
#include "task/task.h"

typedef enum { PART_TEXT, PART_NAME, PART_STEM, PART_SUFFIX, PART_ID, PART_CHECKSUM, PART_CREATE_DATE, PART_TASK, PART_DATE } PartKind;

static const struct {
  const char *name;
  PartKind kind;
  const char *format; /* of a date that says none; NULL: it is none */
} expressions[] = {
  {"obj.name", PART_NAME, NULL},         {"obj.stem", PART_STEM, NULL},
  {"obj.suffix", PART_SUFFIX, NULL},     {"obj.id", PART_ID, NULL},
  {"obj.checksum", PART_CHECKSUM, NULL}, {"obj.create_date", PART_CREATE_DATE, "%Y%m%dT%H%M%S"}, /* no colons: not every file system has them */
  {"task.name", PART_TASK, NULL},        {"date", PART_DATE, "%Y%m%d"},
};

typedef struct {
  PartKind kind;
  char *text; /* the text itself, or the format of a date */
} Part;

struct PxTemplate {
  char *text;
  GArray *parts; /* of Part */
};

static void clear_part(gpointer data) {
  g_free(((Part *)data)->text);
}

/* text: len bytes of it; NULL: none. */
static void add_part(PxTemplate *template, PartKind kind, const char *text, size_t len) {
  Part part = {kind, g_strndup(text, len)};
  g_array_append_val(template->parts, part);
}

static bool format_works(const char *format) {
  g_autoptr(GDateTime) some_day = g_date_time_new_utc(2024, 2, 29, 23, 59, 58);
  g_autofree char *text = g_date_time_format(some_day, format);
  return text && *text && !strchr(text, '/');
}

static bool is_of_ready(PartKind kind) {
  return kind == PART_NAME || kind == PART_STEM || kind == PART_SUFFIX;
}

static bool unknown_expression(const char *name, PxTemplateUse use, GError **error) {
  const char *names[G_N_ELEMENTS(expressions)];
  for (size_t i = 0; i < G_N_ELEMENTS(expressions); i++)
    names[i] = expressions[i].name;
  g_autofree char *hint = px_text_did_you_mean(name, names, G_N_ELEMENTS(names));
  if (use == PX_TEMPLATE_READY) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
                "${%s} is nothing that the name of a ready file is made of%s: write ${obj.name}, ${obj.stem} or ${obj.suffix}", name, hint);
    return false;
  }
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "${%s} is not known%s: write %s${task.name}, ${date} or ${date:%%Y%%m%%d}", name, hint,
              use == PX_TEMPLATE_FETCHED ? "${obj.name}, ${obj.stem}, ${obj.suffix}, ${obj.id}, ${obj.checksum}, ${obj.create_date}, " : "");
  return false;
}

/* What stands between "${" and "}". */
static bool parse_expression(PxTemplate *template, const char *expression, PxTemplateUse use, GError **error) {
  const char *colon = strchr(expression, ':');
  g_autofree char *inside = colon ? g_strndup(expression, (size_t)(colon - expression)) : g_strdup(expression);
  const char *name = g_strstrip(inside);
  for (size_t i = 0; i < G_N_ELEMENTS(expressions); i++) {
    if (strcmp(expressions[i].name, name) != 0 || (use == PX_TEMPLATE_READY && !is_of_ready(expressions[i].kind)))
      continue;
    if (use == PX_TEMPLATE_EXPORTED && g_str_has_prefix(name, "obj.")) {
      g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "${%s}: a file that is yet to be made has none: write ${task.name} or ${date:%%Y%%m%%d}", name);
      return false;
    }
    if (colon && !expressions[i].format) {
      g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "${%s}: only dates have a format: write ${%s}", expression, name);
      return false;
    }
    const char *format = colon ? colon + 1 : expressions[i].format;
    if (format && !format_works(format)) {
      g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "${%s}: \"%s\" is no format for a date in a file's name: write one such as %%Y%%m%%dT%%H%%M%%S",
                  expression, format);
      return false;
    }
    add_part(template, expressions[i].kind, format, format ? strlen(format) : 0);
    return true;
  }
  return unknown_expression(name, use, error);
}

static bool parse_parts(PxTemplate *template, PxTemplateUse use, GError **error) {
  const char *at = template->text;
  while (*at) {
    const char *open = strstr(at, "${");
    if (open != at)
      add_part(template, PART_TEXT, at, open ? (size_t)(open - at) : strlen(at));
    if (!open)
      return true;
    const char *close = strchr(open, '}');
    if (!close) {
      g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\": the } of %s is missing", template->text, open);
      return false;
    }
    g_autofree char *expression = g_strndup(open + 2, (size_t)(close - open - 2));
    if (!parse_expression(template, expression, use, error))
      return false;
    at = close + 1;
  }
  return true;
}

static bool tells_files_apart(const PxTemplate *template) {
  for (guint i = 0; i < template->parts->len; i++) {
    PartKind kind = g_array_index(template->parts, Part, i).kind;
    if (kind == PART_NAME || kind == PART_STEM)
      return !g_str_equal(template->text, "${obj.name}") && !g_str_equal(template->text, "${obj.stem}${obj.suffix}");
  }
  return false;
}

PxTemplate *px_template_parse(const char *text, PxTemplateUse use, GError **error) {
  g_autoptr(PxTemplate) template = g_new0(PxTemplate, 1);
  template->text = g_strdup(text);
  template->parts = g_array_new(FALSE, FALSE, sizeof(Part));
  g_array_set_clear_func(template->parts, clear_part);
  if (!parse_parts(template, use, error))
    return NULL;
  if (use == PX_TEMPLATE_READY && !tells_files_apart(template)) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\" is the same for every file, or the file itself: write one such as \"${obj.name}.done\"",
                text);
    return NULL;
  }
  /* What is wrong whatever the values are: an empty name, a path separator ... */
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  static const char *const names[] = {"name.csv", "name"};
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    const PxTemplateValues sample = {.name = names[i], .id = 1, .checksum = "0", .task = "task", .timezone = utc};
    g_autofree char *name = px_template_render(template, &sample, error);
    if (!name) {
      if (i > 0)
        g_prefix_error(error, "for a file without a suffix ");
      return NULL;
    }
  }
  return g_steal_pointer(&template);
}

void px_template_free(PxTemplate *template) {
  if (!template)
    return;
  g_array_unref(template->parts);
  g_free(template->text);
  g_free(template);
}

/* ---- rendering */

static void append_date(GString *name, const char *format, int64_t when, GTimeZone *timezone) {
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, timezone) : NULL;
  g_autofree char *text = local ? g_date_time_format(local, format) : NULL;
  g_string_append(name, text ? text : "");
}

/* Where the suffix begins: at the last point that is not the first character. */
static const char *suffix_of(const char *name) {
  const char *point = strrchr(name, '.');
  return point && point != name ? point : name + strlen(name);
}

static void append_part(GString *name, const Part *part, const PxTemplateValues *values) {
  const char *old = values->name ? values->name : "";
  switch (part->kind) {
  case PART_TEXT:
    g_string_append(name, part->text);
    break;
  case PART_NAME:
    g_string_append(name, old);
    break;
  case PART_STEM:
    g_string_append_len(name, old, suffix_of(old) - old);
    break;
  case PART_SUFFIX:
    g_string_append(name, suffix_of(old));
    break;
  case PART_ID:
    g_string_append_printf(name, "%" G_GINT64_FORMAT, values->id);
    break;
  case PART_CHECKSUM:
    g_string_append(name, values->checksum ? values->checksum : "");
    break;
  case PART_CREATE_DATE:
    append_date(name, part->text, values->created, values->timezone);
    break;
  case PART_TASK:
    g_string_append(name, values->task ? values->task : "");
    break;
  case PART_DATE:
    append_date(name, part->text, values->now, values->timezone);
    break;
  }
}

char *px_template_render(const PxTemplate *template, const PxTemplateValues *values, GError **error) {
  g_autoptr(GString) name = g_string_new(NULL);
  for (guint i = 0; i < template->parts->len; i++)
    append_part(name, &g_array_index(template->parts, Part, i), values);
  const char *problem = name->len ? px_storage_name_problem(name->str) : "it is empty";
  if (!problem)
    return g_strdup(name->str);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\" gives the name \"%s\", which no file can have: %s", template->text, name->str, problem);
  return NULL;
}
