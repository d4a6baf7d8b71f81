/* SPDX-License-Identifier: Apache-2.0 */
/* A plan that was applied, or refused, has a history as a file that was imported: its bytes, an attachment, a pattern file. */
#include "flow/plan.h"

/* Instead of a pattern: what is in the file is no rows of one. */
#define SNAPSHOT "{\"plan\": true}"

bool px_plan_is_of(const PxPatternFile *file) {
  return g_str_equal(file->snapshot, SNAPSHOT);
}

PxPatternFile *px_plan_new_file(PxProject *project, const PxPlanHead *head, const char *name) {
  PxPatternFile *file = px_file_new(PX_FILE_IMPORT, head->pattern);
  file->name = g_strdup(name);
  file->snapshot = g_strdup(SNAPSHOT);
  file->snapshot_hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, SNAPSHOT, -1);
  file->started = px_project_now(project);
  return file;
}

/* What a list shows of it. */
static char *reason(const GPtrArray *messages) {
  const PxMessage *first = messages->pdata[0];
  return messages->len > 1 ? g_strdup_printf("%s (and %u more)", first->message, messages->len - 1) : g_strdup(first->message);
}

bool px_plan_keep(PxProject *project, PxPatternFile *file, const PxBlob *blob, const GPtrArray *messages, GError **error) {
  PxDb *db = project->db;
  int64_t now = px_project_now(project);
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, file->name);
  attachment->state = file->state;
  attachment->sha256 = g_strdup(blob->sha256);
  attachment->size = blob->size;
  file->bytes_done = file->bytes_total = blob->size;
  file->ended = now;
  if (messages)
    file->error = reason(messages);
  if (!px_attachment_add(db, attachment, now, error))
    return false;
  file->attachment_id = attachment->id;
  if (!px_file_add(db, file, now, error))
    return false;
  const PxChunk whole = {.file_id = file->id, .next_place = UINT64_MAX};
  return !messages || px_chunk_add(db, &whole, messages, now, error);
}
