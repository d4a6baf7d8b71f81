/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of a pattern file, and the messages that they keep. */
#include "queue/queue_private.h"

#include <jansson.h>

static json_t *text_or_null(const char *text) {
  json_t *value = text ? json_string(text) : NULL;
  return value ? value : json_null();
}

/* A JSON array of [row, column, field, type, message]; NULL when there are none. Caller frees with free(). */
static char *messages_to_json(const GPtrArray *messages) {
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
  char *json = messages_to_json(messages);
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
  return ok;
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

struct PxFileMessages {
  PxDb *db;
  int64_t file_id;
  int64_t behind_row; /* of the chunk whose messages are at hand */
  json_t *chunk;
  size_t next;
  PxMessage message;
};

PxFileMessages *px_file_messages_open(PxDb *db, int64_t file_id) {
  PxFileMessages *messages = g_new0(PxFileMessages, 1);
  messages->db = db;
  messages->file_id = file_id;
  messages->behind_row = -1;
  return messages;
}

void px_file_messages_close(PxFileMessages *messages) {
  if (!messages)
    return;
  json_decref(messages->chunk);
  g_free(messages);
}

/* The next chunk that has messages: 1, 0 when there is none. */
static int next_chunk(PxFileMessages *messages, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(messages->db, "chunk_messages", &binder, error))
    return -1;
  px_bind_integer(&binder, messages->file_id);
  px_bind_integer(&binder, messages->behind_row);
  PxStep step = px_stmt_step(binder.stmt, error);
  if (step != PX_STEP_ROW)
    return step == PX_STEP_DONE ? 0 : -1;
  messages->behind_row = px_stmt_integer(binder.stmt, 0);
  PxValue text = px_stmt_value(binder.stmt, 1);
  json_decref(messages->chunk);
  messages->chunk = text.kind == PX_TEXT ? json_loadb(text.text, text.len, 0, NULL) : NULL;
  messages->next = 0;
  px_stmt_reset(binder.stmt);
  if (messages->chunk)
    return 1;
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the messages of pattern file %" G_GINT64_FORMAT " cannot be read (row %" G_GINT64_FORMAT ")",
              messages->file_id, messages->behind_row);
  return -1;
}

int px_file_messages_next(PxFileMessages *messages, const PxMessage **ret_message, GError **error) {
  while (!messages->chunk || messages->next >= json_array_size(messages->chunk)) {
    int found = next_chunk(messages, error);
    if (found <= 0)
      return found;
  }
  const json_t *one = json_array_get(messages->chunk, messages->next++);
  messages->message = (PxMessage){
    .row = (uint64_t)json_integer_value(json_array_get(one, 0)),
    .column = json_string_value(json_array_get(one, 1)),
    .field = json_string_value(json_array_get(one, 2)),
    .type = json_string_value(json_array_get(one, 3)),
    .message = json_string_value(json_array_get(one, 4)),
  };
  *ret_message = &messages->message;
  return 1;
}
