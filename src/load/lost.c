/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that made the database end a transaction. They are known longer than their chunk, because more than the chunk may have to be begun again. */
#include "load/load_private.h"

struct PxLostRows {
  GHashTable *messages; /* number of the row, uint64_t * -> PxMessage * */
  bool one_by_one;      /* it was not known which row it was: the next try finds out */
};

static void free_message(gpointer message) {
  px_message_free(message);
}

PxLostRows *px_lost_rows_new(void) {
  PxLostRows *lost = g_new0(PxLostRows, 1);
  lost->messages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_message);
  return lost;
}

void px_lost_rows_free(PxLostRows *lost) {
  if (!lost)
    return;
  g_hash_table_unref(lost->messages);
  g_free(lost);
}

unsigned px_lost_rows_known(const PxLostRows *lost) {
  return lost ? g_hash_table_size(lost->messages) + lost->one_by_one : 0;
}

void px_loader_set_lost_rows(PxLoader *loader, PxLostRows *lost) {
  loader->lost = lost;
  loader->row_by_row |= lost->one_by_one;
}

void px_load_lose_row(PxLoader *loader, size_t index, const GError *error) {
  if (index == SIZE_MAX) {
    loader->row_by_row = true;
    if (loader->lost)
      loader->lost->one_by_one = true;
    return;
  }
  PxLoadRow *row = px_loader_row(loader, index);
  px_row_forget(row, PX_STAGE_CHUNK);
  row->dead = true;
  px_load_complain_refusal(loader, index, error);
  if (loader->lost)
    g_hash_table_replace(loader->lost->messages, g_memdup2(&row->number, sizeof row->number), px_message_copy(&row->last->message));
}

void px_load_recall_row(PxLoader *loader, PxLoadRow *row) {
  const PxMessage *message = loader->lost ? g_hash_table_lookup(loader->lost->messages, &row->number) : NULL;
  if (!message)
    return;
  row->dead = true;
  row->outcome = PX_OUTCOME_FAILED;
  px_row_say(loader, row, PX_STAGE_CONVERT, message);
}
