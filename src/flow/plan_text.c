/* SPDX-License-Identifier: Apache-2.0 */
/* Values <-> text of a plan. What a field usually has stands as it is: numbers in number fields, text in others, base64 in binary ones. NULL is
 * an empty cell. Whatever else is marked: "..." is text as in JSON (also text that a file format could change or a spreadsheet would run), #12 a
 * number, #blob: and #text: bytes in base64. */
#include "base/number.h"
#include "flow/plan.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

#define BLOB "#blob:"
#define TEXT "#text:"

const char *const px_plan_columns[PX_PLAN_COLUMNS] = {"step", "row", "action", "model", "record", "name", "field", "old", "new", "says"};

static const char *const actions[] = {
  [PX_CHANGE_FIND] = "find",     [PX_CHANGE_CREATE] = "create", [PX_CHANGE_UPDATE] = "update", [PX_CHANGE_DETACH] = "detach",
  [PX_CHANGE_DELETE] = "delete", [PX_CHANGE_LINK] = "link",     [PX_CHANGE_UNLINK] = "unlink", [PX_CHANGE_NAME] = "name",
};

const char *px_plan_action(PxChangeKind kind) {
  return actions[kind];
}

int px_plan_action_from(const char *word) {
  for (int i = 0; i < (int)G_N_ELEMENTS(actions); i++)
    if (g_str_equal(actions[i], word))
      return i;
  return -1;
}

bool px_plan_format(const char *path, PxFormatOptions *ret_options, GError **error) {
  const char *dot = strrchr(path, '.');
  PxFormat format;
  if (!dot || !px_format_from_name(dot + 1, &format)) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: a plan is a file whose name ends in .csv, .xlsx or .json", path);
    return false;
  }
  px_format_options_init(ret_options, format);
  return true;
}

/* ---- the schema */

static void add_text(GChecksum *checksum, const char *text) {
  g_checksum_update(checksum, (const guchar *)(text ? text : ""), text ? (gssize)strlen(text) + 1 : 1);
}

static void add_field(GChecksum *checksum, const PxField *field) {
  add_text(checksum, field->name);
  add_text(checksum, field->column);
  add_text(checksum, px_type_name(field->type));
  add_text(checksum, field->required ? "required" : "");
  add_text(checksum, field->target ? field->target->table : NULL);
  add_text(checksum, field->inverse ? field->inverse->name : NULL);
  add_text(checksum, field->through);
  add_text(checksum, field->from);
  add_text(checksum, field->to);
}

char *px_plan_schema_hash(const PxSchema *schema) {
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  for (size_t m = 0; m < px_schema_count(schema); m++) {
    const PxModel *model = px_schema_at(schema, m);
    add_text(checksum, model->name);
    add_text(checksum, model->table);
    for (size_t i = 0; i < model->n_fields; i++)
      add_field(checksum, model->fields[i]);
  }
  return g_strdup(g_checksum_get_string(checksum));
}

/* ---- values */

/* The model that an integer in the field is an id of; NULL: none. */
static const PxModel *id_model(const PxField *field) {
  if (!field)
    return NULL;
  return field->target ? field->target : field == field->model->id ? field->model : NULL;
}

static bool holds_numbers(const PxField *field) {
  return field && (field->type == PX_TYPE_INTEGER || field->type == PX_TYPE_DECIMAL || field->type == PX_TYPE_BOOLEAN ||
                   (px_type_is_relation(field->type) && !px_model_has_uuids(field->target)));
}

static const char *base64_text(PxArena *arena, const char *mark, PxValue value) {
  g_autofree char *text = g_base64_encode((const guchar *)value.text, value.len);
  return px_arena_printf(arena, "%s%s", mark, text);
}

/* Text that every format gives back as it is and no spreadsheet runs or trims. */
static bool is_plain(const char *text, size_t len) {
  if (len == 0 || strchr("\"#=+-@'", text[0]) || g_ascii_isspace(text[0]) || g_ascii_isspace(text[len - 1]))
    return false;
  for (size_t i = 0; i < len; i++)
    if (((unsigned char)text[i] < ' ' && text[i] != '\n') || text[i] == 0x7f)
      return false;
  return true;
}

static const char *quoted_text(PxArena *arena, PxValue value) {
  json_t *json = json_stringn(value.text, value.len);
  if (!json)
    return base64_text(arena, TEXT, value);
  g_autofree char *text = json_dumps(json, JSON_ENCODE_ANY);
  json_decref(json);
  return px_arena_strndup(arena, text, strlen(text));
}

static const char *real_text(PxArena *arena, PxValue value) {
  char buffer[PX_NUMBER_TEXT_SIZE];
  (void)px_number_text(&value, buffer);
  /* An integer is another value. */
  return px_arena_printf(arena, "%s%s", buffer, strpbrk(buffer, ".eEnN") ? "" : ".0");
}

static const char *number_text(const PxPlanIds *ids, PxArena *arena, const PxField *field, PxValue value) {
  const char *text =
    value.kind == PX_REAL ? real_text(arena, value) : px_plan_id_text(ids, arena, id_model(field), px_id_from_integer(value.integer));
  return holds_numbers(field) || id_model(field) ? text : px_arena_printf(arena, "#%s", text);
}

const char *px_plan_value_text(const PxPlanIds *ids, PxArena *arena, const PxField *field, PxValue value) {
  bool is_binary = field && field->type == PX_TYPE_BINARY;
  switch ((PxValueKind)value.kind) {
  case PX_NULL:
    break;
  case PX_INTEGER:
  case PX_REAL:
    return number_text(ids, arena, field, value);
  case PX_TEXT:
    if (!holds_numbers(field) && !is_binary && is_plain(value.text, value.len) && g_utf8_validate_len(value.text, value.len, NULL))
      return px_arena_strndup(arena, value.text, value.len);
    return quoted_text(arena, value);
  case PX_BLOB:
    return base64_text(arena, is_binary && value.len > 0 ? "" : BLOB, value);
  }
  return "";
}

const char *px_plan_plain_text(PxArena *arena, const char *text) {
  return text ? px_plan_value_text(NULL, arena, NULL, px_value_string(text)) : "";
}

/* ---- back */

static bool number_from(const char *text, PxValue *ret_value) {
  int64_t integer;
  char *end;
  if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &integer, NULL)) {
    *ret_value = px_value_integer(integer);
    return true;
  }
  *ret_value = px_value_real(g_ascii_strtod(text, &end));
  return end > text && !*end;
}

static bool base64_from(PxArena *arena, const char *text, PxValueKind kind, PxValue *ret_value) {
  gsize len;
  g_autofree guchar *bytes = g_base64_decode(text, &len);
  *ret_value = px_value_text(px_arena_strndup(arena, (const char *)bytes, len), len);
  ret_value->kind = kind;
  return true;
}

static bool quoted_from(PxArena *arena, const char *text, PxValue *ret_value) {
  json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  bool good = json_is_string(json);
  if (good)
    *ret_value = px_value_text(px_arena_strndup(arena, json_string_value(json), json_string_length(json)), json_string_length(json));
  json_decref(json);
  return good;
}

bool px_plan_value_from(const PxPlanIds *ids, PxArena *arena, const PxField *field, const char *text, PxValue *ret_value) {
  PxId id;
  *ret_value = px_value_null();
  if (!*text)
    return true;
  if (*text == '"')
    return quoted_from(arena, text, ret_value);
  if (g_str_has_prefix(text, BLOB))
    return base64_from(arena, text + strlen(BLOB), PX_BLOB, ret_value);
  if (g_str_has_prefix(text, TEXT))
    return base64_from(arena, text + strlen(TEXT), PX_TEXT, ret_value);
  if (*text == '#')
    return number_from(text + 1, ret_value);
  if (id_model(field) && px_plan_id_from(ids, id_model(field), text, &id)) {
    *ret_value = px_id_to_value(arena, id);
    return true;
  }
  if (holds_numbers(field) || id_model(field))
    return number_from(text, ret_value);
  if (field && field->type == PX_TYPE_BINARY)
    return base64_from(arena, text, PX_BLOB, ret_value);
  *ret_value = px_value_string(px_arena_strndup(arena, text, strlen(text)));
  return true;
}

/* ---- paths */

const char *px_plan_path_text(PxArena *arena, const PxField *const *path, size_t n) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < n; i++) {
    const char *name = !path[i] ? "id" : path[i] == path[i]->model->id ? ".id" : path[i]->name;
    g_string_append_printf(text, "%s%s", i ? "|" : "", name);
  }
  return px_arena_strndup(arena, text->str, text->len);
}

const PxField *const *px_plan_path_from(PxArena *arena, const PxModel *model, const char *text, size_t *ret_n) {
  g_auto(GStrv) names = g_strsplit(text, "|", -1);
  *ret_n = g_strv_length(names);
  const PxField **path = px_arena_new_array(arena, const PxField *, *ret_n);
  for (size_t i = 0; i < *ret_n; i++) {
    bool last = i + 1 == *ret_n;
    if (last && g_str_equal(names[i], "id"))
      return path;
    path[i] = g_str_equal(names[i], ".id") ? model->id : px_model_field(model, names[i]);
    if (!path[i]) /* a hidden one */
      path[i] = px_model_column(model, names[i]);
    if (!path[i] || (!last && !path[i]->target))
      return NULL;
    model = path[i]->target;
  }
  return path;
}
