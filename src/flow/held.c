/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/held.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define NO_TEXT UINT32_MAX

struct PxHeld {
  FILE *file;
};

static bool fail(const char *what, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the temporary file of messages cannot be %s: %s", what, g_strerror(errno));
  return false;
}

PxHeld *px_held_new(GError **error) {
  int fd = px_temporary_file(error);
  if (fd < 0)
    return NULL;
  FILE *file = fdopen(fd, "w+");
  if (!file) {
    fail("made", error);
    (void)close(fd);
    return NULL;
  }
  PxHeld *held = g_new0(PxHeld, 1);
  held->file = file;
  return held;
}

void px_held_free(PxHeld *held) {
  if (!held)
    return;
  (void)fclose(held->file);
  g_free(held);
}

/* ---- writing */

static bool put(PxHeld *held, const void *bytes, size_t size) {
  return size == 0 || fwrite(bytes, size, 1, held->file) == 1;
}

static bool put_text(PxHeld *held, const char *text) {
  uint32_t len = text ? (uint32_t)strlen(text) : NO_TEXT;
  return put(held, &len, sizeof len) && (!text || put(held, text, len));
}

static bool put_message(PxHeld *held, const PxMessage *message) {
  return put(held, &message->row, sizeof message->row) && put_text(held, message->column) && put_text(held, message->field) &&
         put_text(held, message->type) && put_text(held, message->message);
}

bool px_held_add(PxHeld *held, const PxChunk *chunk, const GPtrArray *messages, GError **error) {
  uint32_t n = messages ? messages->len : 0;
  bool ok = put(held, chunk, sizeof *chunk) && put(held, &n, sizeof n);
  for (guint i = 0; ok && i < n; i++)
    ok = put_message(held, messages->pdata[i]);
  return ok || fail("written", error);
}

bool px_held_clear(PxHeld *held, GError **error) {
  return px_held_rewind(held, error) && (ftruncate(fileno(held->file), 0) == 0 || fail("emptied", error));
}

/* ---- reading */

bool px_held_rewind(PxHeld *held, GError **error) {
  return fseek(held->file, 0, SEEK_SET) == 0 || fail("written", error);
}

static bool get(PxHeld *held, void *bytes, size_t size) {
  return size == 0 || fread(bytes, size, 1, held->file) == 1;
}

/* NULL is a text too. */
static bool get_text(PxHeld *held, char **ret_text) {
  uint32_t len;
  *ret_text = NULL;
  if (!get(held, &len, sizeof len))
    return false;
  if (len == NO_TEXT)
    return true;
  g_autofree char *text = g_malloc0((size_t)len + 1);
  if (!get(held, text, len))
    return false;
  *ret_text = g_steal_pointer(&text);
  return true;
}

static PxMessage *get_message(PxHeld *held) {
  g_autofree char *column = NULL;
  g_autofree char *field = NULL;
  g_autofree char *type = NULL;
  g_autofree char *text = NULL;
  PxMessage message = {0};
  if (!get(held, &message.row, sizeof message.row) || !get_text(held, &column) || !get_text(held, &field) || !get_text(held, &type) ||
      !get_text(held, &text))
    return NULL;
  message.column = column;
  message.field = field;
  message.type = type;
  message.message = text;
  return px_message_copy(&message);
}

static void free_message(gpointer message) {
  px_message_free(message);
}

int px_held_next(PxHeld *held, PxChunk *ret_chunk, GPtrArray **ret_messages, GError **error) {
  uint32_t n;
  if (!get(held, ret_chunk, sizeof *ret_chunk)) {
    if (feof(held->file))
      return 0;
    fail("read", error);
    return -1;
  }
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(free_message);
  bool ok = get(held, &n, sizeof n);
  for (uint32_t i = 0; ok && i < n; i++) {
    PxMessage *message = get_message(held);
    ok = message != NULL;
    if (ok)
      g_ptr_array_add(messages, message);
  }
  if (!ok) {
    fail("read", error);
    return -1;
  }
  *ret_messages = g_steal_pointer(&messages);
  return 1;
}
