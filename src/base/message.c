/* SPDX-License-Identifier: Apache-2.0 */
#include "base/message.h"

void px_counts_add(PxCounts *counts, const PxCounts *more) {
  counts->rows += more->rows;
  counts->created += more->created;
  counts->updated += more->updated;
  counts->unchanged += more->unchanged;
  counts->failed += more->failed;
  counts->skipped += more->skipped;
}

PxMessage *px_message_copy(const PxMessage *message) {
  PxMessage *copy = g_new0(PxMessage, 1);
  copy->row = message->row;
  copy->column = g_strdup(message->column);
  copy->field = g_strdup(message->field);
  copy->type = g_strdup(message->type);
  copy->message = g_strdup(message->message);
  return copy;
}

void px_message_free(PxMessage *message) {
  if (!message)
    return;
  g_free((char *)(uintptr_t)message->column);
  g_free((char *)(uintptr_t)message->field);
  g_free((char *)(uintptr_t)message->type);
  g_free((char *)(uintptr_t)message->message);
  g_free(message);
}
