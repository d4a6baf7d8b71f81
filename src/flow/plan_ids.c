/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of new records: "new:N" in a plan. Where ids are counted on from the last one (SQLite) N says which id it is. Where a sequence gives them
 * (PostgreSQL) nobody knows them before: they are remembered as the records are made, as runs of ids that follow one another. A uuid is as good when
 * the plan is applied: it stands there as it is, and the record gets it. */
#include "flow/plan.h"

#define NEW "new:"

typedef struct {
  int64_t number, id, n; /* new:NUMBER is id, the next is the next, n of them */
} Span;

typedef struct {
  int64_t last;  /* counted: before anything was written */
  GArray *spans; /* Span, by number; else */
} Known;

struct PxPlanIds {
  PxRecords *records;
  bool counted;
  GHashTable *models; /* PxModel -> Known * */
};

static int64_t number_of(PxId id) {
  return px_id_to_value(NULL, id).integer;
}

static void free_known(gpointer data) {
  Known *known = data;
  g_array_unref(known->spans);
  g_free(known);
}

static Known *known_of(const PxPlanIds *ids, const PxModel *model) {
  Known *known = g_hash_table_lookup(ids->models, model);
  if (known)
    return known;
  known = g_new0(Known, 1);
  known->spans = g_array_new(FALSE, FALSE, sizeof(Span));
  g_hash_table_insert(ids->models, (void *)(uintptr_t)model, known);
  return known;
}

static bool read_last_ids(PxPlanIds *ids, const PxSchema *schema, GError **error) {
  for (size_t m = 0; m < px_schema_count(schema); m++) {
    const PxModel *model = px_schema_at(schema, m);
    PxId next;
    if (!px_records_take_ids(ids->records, model, 1, &next, error))
      return false;
    known_of(ids, model)->last = number_of(next) - 1;
  }
  return true;
}

PxPlanIds *px_plan_ids_new(PxDb *db, const PxSchema *schema, GError **error) {
  g_autoptr(PxPlanIds) ids = g_new0(PxPlanIds, 1);
  ids->records = px_records_new(db, schema);
  ids->counted = px_db_dialect(db) == PX_DIALECT_SQLITE;
  ids->models = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_known);
  return !ids->counted || read_last_ids(ids, schema, error) ? g_steal_pointer(&ids) : NULL;
}

void px_plan_ids_free(PxPlanIds *ids) {
  if (!ids)
    return;
  g_hash_table_unref(ids->models);
  px_records_free(ids->records);
  g_free(ids);
}

/* ---- runs of ids */

static void add_span(Known *known, int64_t number, int64_t id) {
  GArray *spans = known->spans;
  Span *last = spans->len ? &g_array_index(spans, Span, spans->len - 1) : NULL;
  if (last && last->number + last->n == number && last->id + last->n == id) {
    last->n++;
    return;
  }
  const Span span = {.number = number, .id = id, .n = 1};
  g_array_append_val(spans, span);
}

/* From the end: what is asked for was made not long ago. False: it is not there. */
static bool find_id(const Known *known, int64_t number, int64_t *ret_id) {
  for (guint i = known->spans->len; i-- > 0;) {
    const Span *span = &g_array_index(known->spans, Span, i);
    if (number < span->number)
      continue;
    *ret_id = span->id + (number - span->number);
    return number < span->number + span->n;
  }
  return false;
}

static bool find_number(const Known *known, int64_t id, int64_t *ret_number) {
  for (guint i = known->spans->len; i-- > 0;) {
    const Span *span = &g_array_index(known->spans, Span, i);
    *ret_number = span->number + (id - span->id);
    if (id >= span->id && id < span->id + span->n)
      return true;
  }
  return false;
}

void px_plan_ids_made(PxPlanIds *ids, const PxModel *model, PxId id) {
  if (ids->counted || px_id_is_uuid(id))
    return;
  Known *known = known_of(ids, model);
  add_span(known, ++known->last, number_of(id));
}

bool px_plan_ids_make(PxPlanIds *ids, const PxModel *model, const char *text, GError **error) {
  int64_t number;
  PxId id;
  if (ids->counted || px_model_has_uuids(model) || !g_str_has_prefix(text, NEW) ||
      !g_ascii_string_to_signed(text + strlen(NEW), 10, 1, G_MAXINT64, &number, NULL))
    return true;
  if (!px_records_take_ids(ids->records, model, 1, &id, error))
    return false;
  add_span(known_of(ids, model), number, number_of(id));
  return true;
}

/* ---- text */

const char *px_plan_id_text(const PxPlanIds *ids, PxArena *arena, const PxModel *model, PxId id) {
  if (px_id_is_none(id))
    return "";
  if (px_id_is_uuid(id))
    return px_id_to_value(arena, id).text;
  int64_t integer = number_of(id);
  const Known *known = model ? g_hash_table_lookup(ids->models, model) : NULL;
  int64_t number = known ? integer - known->last : 0;
  bool is_new = known && (ids->counted ? number > 0 : find_number(known, integer, &number));
  return px_arena_printf(arena, "%s%" G_GINT64_FORMAT, is_new ? NEW : "", is_new ? number : integer);
}

bool px_plan_id_from(const PxPlanIds *ids, const PxModel *model, const char *text, PxId *ret_id) {
  int64_t integer = 0;
  *ret_id = PX_ID_NONE;
  if (!*text)
    return true;
  if (model && px_model_has_uuids(model)) {
    *ret_id = px_id_from_uuid(text, strlen(text));
    return !px_id_is_none(*ret_id);
  }
  bool is_new = g_str_has_prefix(text, NEW);
  if (!g_ascii_string_to_signed(is_new ? text + strlen(NEW) : text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
    return false;
  const Known *known = is_new && model ? g_hash_table_lookup(ids->models, model) : NULL;
  if (is_new && !known)
    return false;
  if (is_new && ids->counted)
    integer += known->last;
  else if (is_new && !find_id(known, integer, &integer))
    return false;
  *ret_id = px_id_from_integer(integer);
  return true;
}
