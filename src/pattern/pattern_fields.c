/* SPDX-License-Identifier: Apache-2.0 */
#include "model/domain.h"
#include "pattern/pattern_private.h"

#include <stddef.h>

#define MAX_SEGMENTS 32 /* as in a header */
#define MAX_OCCURRENCES 1000

typedef struct {
  char *field, *header, *pattern, *value;
  int type; /* of the value; -1: not said */
  bool key, tab;
  uint64_t occurrences;
  const PxConfigNode *tab_filter, *domain;
  PxConvertSettings convert;
} Entry;

/* Those of type:, in the order of value_fields. */
static const char *const value_types[] = {"text", "integer", "decimal", "boolean", "date", "datetime", NULL};
static const PxField value_fields[] = {
  {.type = PX_TYPE_TEXT},    {.type = PX_TYPE_INTEGER}, {.type = PX_TYPE_DECIMAL},
  {.type = PX_TYPE_BOOLEAN}, {.type = PX_TYPE_DATE},    {.type = PX_TYPE_DATETIME},
};

#define KEY(member, kind, ...)                                                                                                                       \
  { .name = #member, .type = kind, .offset = offsetof(Entry, member), __VA_ARGS__ }
static const PxKey keys[] = {
  KEY(field, PX_KEY_STRING),    KEY(key, PX_KEY_BOOLEAN),
  KEY(header, PX_KEY_STRING),   KEY(occurrences, PX_KEY_UNSIGNED, .min = 1, .max = MAX_OCCURRENCES),
  KEY(pattern, PX_KEY_STRING),  KEY(tab, PX_KEY_BOOLEAN),
  KEY(tab_filter, PX_KEY_NODE), KEY(domain, PX_KEY_NODE),
  KEY(value, PX_KEY_STRING),    KEY(type, PX_KEY_CHOICE, .choices = value_types),
  PX_CONVERT_KEYS(Entry),
};
#undef KEY

static void entry_done(Entry *entry) {
  g_free(entry->field);
  g_free(entry->header);
  g_free(entry->pattern);
  g_free(entry->value);
  g_free(entry->convert.thousands);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entry, entry_done)

/* One entry of the list on its way into the pattern. */
typedef struct {
  const PxPatternReader *reader;
  PxPattern *pattern;
  const PxConfigNode *node;
  const Entry *entry;
  const PxField *path[MAX_SEGMENTS];
  size_t n_path;
  const PxField *list; /* the one2many or many2many that the path begins with; NULL: it begins with another field */
  const PxModel *last; /* the model whose field ends the path */
} Field;

static bool complain(const Field *f, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool complain(const Field *f, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  px_complain(f->reader->complaints, f->node, "pattern %s: field %s: %s", f->pattern->name, f->entry->field ? f->entry->field : f->entry->header,
              text);
  return false;
}

/* ---- the path */

static bool check_pattern_of(const Field *f, const PxField *field) {
  const char *name = f->entry->pattern;
  const PxConfigNode *other = px_node_get(f->reader->section, name);
  if (!other)
    return complain(f, "there is no pattern %s", name);
  const char *model = px_node_text(px_node_get(other, "model"));
  if (model && !g_str_equal(model, field->target->name))
    return complain(f, "the pattern %s is of the model %s, but the records are of %s", name, model, field->target->name);
  return true;
}

/* The items of the record itself are written by a pattern of theirs. A record that is only referred to is found again by any of its items. */
static bool check_one2many(const Field *f, const PxField *field, bool last) {
  bool own = f->n_path == 1;
  if (own && !last)
    return complain(f, "a one2many is written by a pattern of its records: {field: %s, pattern: NAME}", field->name);
  if (own && !f->entry->pattern)
    return complain(f, "%s is a one2many: say by which pattern its records are written, {field: %s, pattern: NAME}", field->name, f->entry->field);
  if (!own && f->entry->pattern)
    return complain(f, "%s is a one2many of a record that is only referred to: say which field of its records is meant, as in %s/%s", field->name,
                    f->entry->field, px_model_field(field->target, "name") ? "name" : ".id");
  return !own || check_pattern_of(f, field);
}

static bool check_relation(const Field *f, const PxField *field, bool last) {
  if (field->type == PX_TYPE_ONE2MANY && (f->n_path == 1 || f->entry->pattern))
    return check_one2many(f, field, last);
  if (f->entry->pattern && px_type_is_relation(field->type) && field->type != PX_TYPE_ONE2MANY)
    return complain(f,
                    "pattern is for the records of a one2many, and a %s only refers to records: say by which of their fields, as in {field: %s/%s%s}",
                    px_type_name(field->type), field->name, px_model_field(field->target, "name") ? "name" : ".id",
                    field->type == PX_TYPE_MANY2MANY ? ", occurrences: 3" : "");
  if (last)
    return complain(f, "%s is a relation: say which field of its records is meant, as in %s/%s", field->name, f->entry->field,
                    px_model_field(field->target, "name") ? "name" : ".id");
  return true;
}

/* One segment; false: complained of. */
static bool add_segment(Field *f, const char *name, bool last) {
  const PxField *field = g_str_equal(name, ".id") ? f->last->id : g_str_equal(name, "id") ? NULL : px_model_field(f->last, name);
  if (f->n_path == MAX_SEGMENTS)
    return complain(f, "the path is too long");
  f->path[f->n_path++] = field;
  if (!field && !g_str_equal(name, "id")) {
    g_autofree char *meant = px_model_did_you_mean(f->last, name);
    return complain(f, "%s has no field %s%s", f->last->name, name, meant);
  }
  bool relation = field && field != f->last->id && px_type_is_relation(field->type);
  if (!relation)
    return last || complain(f, "%s is no relation: nothing can follow it", name);
  if (f->n_path == 1 && px_field_is_x2many(field))
    f->list = field;
  if (!check_relation(f, field, last))
    return false;
  if (!last)
    f->last = field->target;
  return true;
}

static bool read_path(Field *f) {
  const char *text = f->entry->field;
  if (strchr(text, '#'))
    return complain(f, "a key is written {field: NAME, key: true}");
  g_auto(GStrv) names = g_strsplit_set(text, "/|", 0);
  f->last = f->pattern->model;
  for (size_t i = 0; names[i]; i++)
    if (!add_segment(f, names[i], !names[i + 1]))
      return false;
  return true;
}

/* ---- what stands beside the path */

static bool check_tab(const Field *f) {
  const PxField *field = f->path[f->n_path - 1];
  if (f->n_path == 1 && field && !field->selection)
    return complain(f, "tab lists the allowed values of a relation's field or of a selection, and %s is neither", field->name);
  if (f->n_path == 1 && f->entry->tab_filter)
    return complain(f, "tab_filter is about the records of a relation, and %s is a selection", field ? field->name : "id");
  if (!field || px_field_is_x2many(field))
    return complain(f, "tab lists the values of a field, and %s is none: write it at the fields of the other pattern", field ? field->name : "id");
  return true;
}

/* The records that the domain is about are those of the last relation. */
static bool check_domain(const Field *f) {
  if (f->entry->pattern)
    return complain(f, "domain limits which records a many2one or many2many may refer to, and those of a one2many are its own: "
                       "write it at the fields of the other pattern");
  if (f->n_path == 1)
    return complain(f, "domain limits which records a relation may refer to, and this field is none");
  return true;
}

static bool check_entry(const Field *f) {
  const Entry *entry = f->entry;
  bool ok = true;
  if (entry->type >= 0)
    ok = complain(f, "type is for a value; a field has the type of its column");
  if (entry->occurrences && !f->list)
    ok = complain(f, "occurrences are of a one2many or many2many that the path begins with");
  if (entry->pattern && (!f->list || f->list->type != PX_TYPE_ONE2MANY))
    ok = complain(f, "pattern is for a one2many of the record");
  if (entry->key && f->list)
    ok = complain(f, "a %s cannot be part of a key", px_type_name(f->list->type));
  if (entry->tab_filter && !entry->tab)
    ok = complain(f, "tab_filter without tab: true has no effect");
  if (entry->header && (*entry->header == '\0' || *entry->header == '#'))
    ok = complain(f, "header: a column without a name, or with a name that begins with #, is ignored when the file comes back");
  if (entry->header && f->pattern->header != PX_HEADER_CUSTOM)
    px_warn(f->reader->complaints, f->node, "pattern %s: field %s: header has no effect without header: custom of the pattern", f->pattern->name,
            entry->field);
  if (entry->tab && !check_tab(f))
    ok = false;
  if (entry->domain && !check_domain(f))
    ok = false;
  return ok;
}

/* ---- tabs */

static const char *tab_name(const Field *f, const PxField *field, const char *filter) {
  if (filter)
    return px_arena_printf(f->reader->arena, "(%s)", filter);
  if (f->n_path == 1 || g_str_has_prefix(field->label, f->last->label))
    return field->label;
  return px_arena_printf(f->reader->arena, "%s %s", f->last->label, field->label);
}

static const char *copy(const Field *f, const char *text) {
  return text ? px_arena_strndup(f->reader->arena, text, strlen(text)) : NULL;
}

static const PxDomain *read_domain(const Field *f, const PxConfigNode *node, const char *key) {
  const PxPatternReader *reader = f->reader;
  g_autoptr(GError) error = NULL;
  const char *text = px_node_text(node);
  PxDomain *domain = text ? px_filters_domain(reader->filters, reader->timezone, f->last, text, &error)
                          : px_filters_domain_from_node(reader->filters, reader->timezone, f->last, node, &error);
  if (domain)
    g_ptr_array_add(reader->domains, domain);
  else
    complain(f, "%s: %s", key, error->message);
  return domain;
}

static const PxPatternTab *new_tab(const Field *f, const PxDomain *domain, const PxConvertOwn *convert) {
  const PxConfigNode *own = f->entry->tab_filter;
  const PxConfigNode *node = own ? own : f->entry->domain;
  const char *text = px_node_text(node);
  const char *filter = text ? px_filters_name(f->reader->filters, text, NULL) : NULL;
  g_autofree char *written = node ? px_node_to_json(node) : NULL;
  PxPatternTab *tab = px_arena_new_array(f->reader->arena, PxPatternTab, 1);
  const PxField *field = f->path[f->n_path - 1];
  *tab = (PxPatternTab){
    .name = tab_name(f, field, filter),
    .field = field,
    .model = f->n_path > 1 ? f->last : NULL,
    .domain = own ? read_domain(f, own, "tab_filter") : domain,
    .filter = copy(f, filter ? filter : written),
    .convert = convert,
  };
  return tab;
}

/* ---- how its cells are read */

static bool is_of_type(const PxField *field, PxType type) {
  return field && field->type == type;
}

static bool is_number(const PxField *field) {
  return is_of_type(field, PX_TYPE_DECIMAL) || is_of_type(field, PX_TYPE_INTEGER);
}

/* An option of a field that its type has no use for is a mistake. */
static void check_convert(const Field *f, const PxField *field, unsigned given) {
  bool is_date = is_of_type(field, PX_TYPE_DATE);
  bool is_datetime = is_of_type(field, PX_TYPE_DATETIME);
  const struct {
    PxConvertGiven given;
    const char *key;
    bool fits;
  } known[] = {
    {PX_OWN_BOOLEANS, "booleans", is_of_type(field, PX_TYPE_BOOLEAN)}, {PX_OWN_DATE_FORMATS, "date_format", is_date || is_datetime},
    {PX_OWN_DATETIME_FORMATS, "datetime_format", is_datetime},         {PX_OWN_SERIALS, "excel_serials", is_date || is_datetime},
    {PX_OWN_DECIMAL_COMMA, "decimal_comma", is_number(field)},         {PX_OWN_THOUSANDS, "thousands", is_number(field)},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (given & known[i].given && !known[i].fits)
      complain(f, "%s is not for %s", known[i].key, field ? px_type_name(field->type) : "external id");
}

static const PxConvertOwn *read_convert(const Field *f, const PxField *field) {
  g_autofree char *what = g_strdup_printf("pattern %s: field %s", f->pattern->name, f->entry->field ? f->entry->field : f->entry->header);
  PxConvertOwn own = px_pattern_read_convert(f->reader, f->node, what, &f->entry->convert, &f->pattern->convert);
  if (!own.given)
    return NULL;
  check_convert(f, field, own.given);
  PxConvertOwn *kept = px_arena_new_array(f->reader->arena, PxConvertOwn, 1);
  *kept = own;
  return kept;
}

/* ---- fields */

static void add_field(const Field *f) {
  PxPattern *pattern = f->pattern;
  const Entry *entry = f->entry;
  PxExportField *field = &pattern->fields[pattern->n_fields++];
  field->path = px_arena_new_array(f->reader->arena, const PxField *, f->n_path);
  for (size_t i = 0; i < f->n_path; i++)
    field->path[i] = f->path[i];
  field->n_path = f->n_path;
  field->key = entry->key && f->path[0] && f->path[0] != pattern->model->id;
  field->occurrences = MAX(entry->occurrences, 1);
  field->sub = copy(f, entry->pattern);
  field->custom = pattern->header == PX_HEADER_CUSTOM ? copy(f, entry->header) : NULL;
  field->domain = entry->domain ? read_domain(f, entry->domain, "domain") : NULL;
  field->convert = entry->field ? read_convert(f, f->path[f->n_path - 1]) : NULL;
  field->tab = entry->tab ? new_tab(f, field->domain, field->convert) : NULL;
  g_hash_table_insert(f->reader->nodes, field, (gpointer)(uintptr_t)f->node);
}

/* ---- computed columns */

/* The name that the column has in a file must not be that of a field, which an import would write. */
static bool check_value(const Field *f) {
  const Entry *entry = f->entry;
  const char *name = entry->header;
  const PxModel *model = f->pattern->model;
  if (!name || !*name) {
    px_complain(f->reader->complaints, f->node,
                "pattern %s: fields: value: header is missing: the column needs a name, as in {value: %s, header: NAME}", f->pattern->name,
                entry->value);
    return false;
  }
  if (entry->field || entry->pattern || entry->occurrences || entry->key || entry->tab || entry->tab_filter || entry->domain)
    return complain(f, "value is computed: beside it there are header, type and how values are written, but no field, key, pattern, occurrences, tab "
                       "or domain");
  if (*name == '#' || strchr(name, '|') || name[strspn(name, "0123456789")] == '\0')
    return complain(f, "header: the name of a computed column does not begin with #, has no | in it and is no number");
  if (px_model_field(model, name) || g_str_equal(name, "id") || g_str_equal(name, ".id"))
    return complain(f, "header: %s is a field of %s, which would be written when the file comes back: choose another name", name, model->name);
  return true;
}

static void add_value(const Field *f) {
  PxPattern *pattern = f->pattern;
  const Entry *entry = f->entry;
  PxPatternComputed *computed = px_arena_new_array(f->reader->arena, PxPatternComputed, 1);
  *computed = (PxPatternComputed){.name = copy(f, entry->header),
                                  .expression = f->reader->takes_values ? copy(f, entry->value) : NULL,
                                  .as = entry->type < 0 ? NULL : &value_fields[entry->type],
                                  .node = f->node};
  if (!f->reader->takes_values)
    pattern->export_problem =
      px_arena_printf(f->reader->arena, "pattern %s: value %s: only the configuration may say SQL", pattern->name, computed->name);
  PxExportField *field = &pattern->fields[pattern->n_fields++];
  field->occurrences = 1;
  field->computed = computed;
  field->convert = read_convert(f, entry->type < 0 ? &value_fields[0] : computed->as);
  g_hash_table_insert(f->reader->nodes, field, (gpointer)(uintptr_t)f->node);
}

/* ---- the list */

/* A column for people to write in: it has a name and nothing else. */
static bool is_empty_column(const Entry *entry, const PxPattern *pattern) {
  return !entry->field && entry->header && *entry->header && pattern->header == PX_HEADER_CUSTOM && !entry->pattern && !entry->occurrences &&
         !entry->key && !entry->tab && !entry->tab_filter && !entry->domain && entry->type < 0;
}

static void read_entry(const PxPatternReader *reader, const PxConfigNode *node, PxPattern *pattern) {
  g_autofree char *what = g_strdup_printf("pattern %s: fields", pattern->name);
  g_auto(Entry) entry = {.type = -1};
  if (px_node_type(node) == PX_NODE_SCALAR)
    entry.field = g_strdup(px_node_text(node));
  else
    px_config_read(node, keys, G_N_ELEMENTS(keys), &entry, what, reader->complaints);
  Field field = {.reader = reader, .pattern = pattern, .node = node, .entry = &entry, .path = {pattern->model->id}};
  if (entry.value) {
    if (check_value(&field))
      add_value(&field);
  } else if (entry.field) {
    if (read_path(&field) && check_entry(&field))
      add_field(&field);
  } else if (is_empty_column(&entry, pattern)) {
    add_field(&field);
  } else if (px_node_type(node) == PX_NODE_MAP) {
    px_complain(reader->complaints, node, "%s: field is missing%s", what,
                pattern->header == PX_HEADER_CUSTOM ? "; an empty column is {header: NAME} alone" : "");
  }
}

void px_pattern_read_fields(const PxPatternReader *reader, const PxConfigNode *fields, PxPattern *pattern) {
  size_t n = px_node_count(fields);
  if (px_node_type(fields) != PX_NODE_SEQUENCE && px_node_type(fields) != PX_NODE_NULL)
    px_complain(reader->complaints, fields, "pattern %s: fields: a list is expected", pattern->name);
  if (px_node_type(fields) != PX_NODE_SEQUENCE || n == 0) {
    pattern->export_problem = px_arena_printf(reader->arena, "pattern %s has no fields: an export needs the list of its columns", pattern->name);
    return;
  }
  pattern->fields = px_arena_new_array(reader->arena, PxExportField, n);
  for (size_t i = 0; i < n; i++)
    read_entry(reader, px_node_at(fields, i), pattern);
}
