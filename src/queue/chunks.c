/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of a pattern file, and the messages that they keep. */
#include "queue/queue_private.h"

#include <jansson.h>

static json_t *text_or_null(const char *text) {
  json_t *value = text ? json_string(text) : NULL;
  return value ? value : json_null();
}

char *px_messages_to_json(const GPtrArray *messages) {
  if (!messages || messages->len == 0)
    return NULL;
  json_t *all = json_array();
  for (guint i = 0; i < messages->len; i++) {
    const PxMessage *message = messages->pdata[i];
    json_t *one = json_array();
    json_array_append_new(one, json_integer((json_int_t)message->row));
    json_array_append_new(one, text_or_null(message->column));
    json_array_append_new(one, text_or_null(message->field));
    json_array_append_new(one, text_or_null(message->type));
    json_array_append_new(one, text_or_null(message->message));
    json_array_append_new(all, one);
  }
  char *text = json_dumps(all, JSON_COMPACT);
  json_decref(all);
  return text;
}

bool px_chunk_add(PxDb *db, const PxChunk *chunk, const GPtrArray *messages, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_add", &binder, error))
    return false;
  char *json = px_messages_to_json(messages);
  PxValue place = chunk->next_place <= INT64_MAX ? px_value_integer((int64_t)chunk->next_place) : px_value_null();
  px_bind_integer(&binder, chunk->file_id);
  px_bind_integer(&binder, (int64_t)chunk->first_row);
  px_bind_integer(&binder, (int64_t)chunk->last_row);
  px_bind_counts(&binder, &chunk->counts);
  px_bind_integer(&binder, (int64_t)chunk->next_row);
  px_stmt_bind(binder.stmt, binder.next++, &place);
  px_bind_text(&binder, json);
  px_bind_integer(&binder, now);
  bool ok = px_run_bound(&binder, error);
  free(json);
  return ok && px_counter_rows(db, chunk->file_id, &chunk->counts, error);
}

bool px_chunk_last(PxDb *db, int64_t file_id, PxChunk *ret_chunk, bool *ret_found, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_last", &binder, error))
    return false;
  px_bind_integer(&binder, file_id);
  PxStep step = px_stmt_step(binder.stmt, error);
  if (step == PX_STEP_ERROR)
    return false;
  *ret_found = step == PX_STEP_ROW;
  if (step == PX_STEP_DONE)
    return true;
  PxColumns columns = {.stmt = binder.stmt};
  *ret_chunk = (PxChunk){.file_id = file_id};
  ret_chunk->first_row = (uint64_t)px_column_integer(&columns);
  ret_chunk->last_row = (uint64_t)px_column_integer(&columns);
  px_column_counts(&columns, &ret_chunk->counts);
  ret_chunk->next_row = (uint64_t)px_column_integer(&columns);
  PxValue place = px_stmt_value(binder.stmt, columns.next);
  ret_chunk->next_place = place.kind == PX_INTEGER ? (uint64_t)place.integer : UINT64_MAX;
  px_stmt_reset(binder.stmt);
  return true;
}

/* ---- reading messages */

/* Those of one part of a file: its chunks follow one another. */
typedef struct {
  int64_t part;
  int64_t behind_row; /* of the chunk that is at hand */
  json_t *chunk;      /* NULL: none yet; of the last one when ended */
  size_t next;
  bool ended;
} Part;

struct PxFileMessages {
  PxDb *db;
  int64_t file_id;
  GArray *parts; /* Part; NULL: not looked for yet */
  PxMessage message;
};

static void clear_part(gpointer part) {
  json_decref(((Part *)part)->chunk);
}

PxFileMessages *px_file_messages_open(PxDb *db, int64_t file_id) {
  PxFileMessages *messages = g_new0(PxFileMessages, 1);
  messages->db = db;
  messages->file_id = file_id;
  return messages;
}

void px_file_messages_close(PxFileMessages *messages) {
  if (!messages)
    return;
  g_clear_pointer(&messages->parts, g_array_unref);
  g_free(messages);
}

static bool find_parts(PxFileMessages *messages, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(messages->db, "chunk_parts", &binder, error))
    return false;
  px_bind_integer(&binder, messages->file_id);
  g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
  g_array_set_clear_func(parts, clear_part);
  PxStep step;
  while ((step = px_stmt_step(binder.stmt, error)) == PX_STEP_ROW) {
    Part part = {.part = px_stmt_integer(binder.stmt, 0), .behind_row = -1};
    g_array_append_val(parts, part);
  }
  if (step == PX_STEP_DONE)
    messages->parts = g_steal_pointer(&parts);
  return messages->parts != NULL;
}

static bool next_chunk(const PxFileMessages *messages, Part *part, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(messages->db, "chunk_messages", &binder, error))
    return false;
  px_bind_integer(&binder, messages->file_id);
  px_bind_integer(&binder, part->part);
  px_bind_integer(&binder, part->behind_row);
  PxStep step = px_stmt_step(binder.stmt, error);
  part->ended = step == PX_STEP_DONE;
  if (step != PX_STEP_ROW)
    return part->ended;
  part->behind_row = px_stmt_integer(binder.stmt, 0);
  PxValue text = px_stmt_value(binder.stmt, 1);
  json_decref(part->chunk);
  part->chunk = text.kind == PX_TEXT ? json_loadb(text.text, text.len, 0, NULL) : NULL;
  part->next = 0;
  px_stmt_reset(binder.stmt);
  if (part->chunk)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the messages of pattern file %" G_GINT64_FORMAT " cannot be read (row %" G_GINT64_FORMAT ")",
              messages->file_id, part->behind_row);
  return false;
}

/* The next message of a part; *ret_message NULL: there is none. */
static bool peek(const PxFileMessages *messages, Part *part, const json_t **ret_message, GError **error) {
  while (!part->ended && (!part->chunk || part->next >= json_array_size(part->chunk)))
    if (!next_chunk(messages, part, error))
      return false;
  *ret_message = part->ended ? NULL : json_array_get(part->chunk, part->next);
  return true;
}

int px_file_messages_next(PxFileMessages *messages, const PxMessage **ret_message, GError **error) {
  const json_t *first = NULL;
  Part *of_first = NULL;
  if (!messages->parts && !find_parts(messages, error))
    return -1;
  for (guint i = 0; i < messages->parts->len; i++) {
    Part *part = &g_array_index(messages->parts, Part, i);
    const json_t *one;
    if (!peek(messages, part, &one, error))
      return -1;
    if (one && (!first || json_integer_value(json_array_get(one, 0)) < json_integer_value(json_array_get(first, 0)))) {
      first = one;
      of_first = part;
    }
  }
  if (!first)
    return 0;
  of_first->next++;
  messages->message = (PxMessage){
    .row = (uint64_t)json_integer_value(json_array_get(first, 0)),
    .column = json_string_value(json_array_get(first, 1)),
    .field = json_string_value(json_array_get(first, 2)),
    .type = json_string_value(json_array_get(first, 3)),
    .message = json_string_value(json_array_get(first, 4)),
  };
  *ret_message = &messages->message;
  return 1;
}
