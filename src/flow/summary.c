/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a file, as commands tell it. */
#include "flow/flow_private.h"

PxSummary *px_summary_new(const PxPatternFile *file) {
  PxSummary *summary = g_new0(PxSummary, 1);
  summary->kind = file->kind;
  summary->state = file->state;
  summary->counts = file->counts;
  summary->file_id = file->id;
  summary->attachment_id = file->attachment_id;
  summary->name = g_strdup(file->name);
  summary->task = g_strdup(file->task);
  summary->pattern = g_strdup(file->pattern);
  summary->error = g_strdup(file->error);
  return summary;
}

void px_summary_free(PxSummary *summary) {
  if (!summary)
    return;
  g_free(summary->name);
  g_free(summary->task);
  g_free(summary->pattern);
  g_free(summary->error);
  g_free(summary->archive);
  g_free(summary->error_file);
  g_free(summary->note);
  g_free(summary->hint);
  g_clear_pointer(&summary->unknown_ids, g_array_unref);
  g_clear_pointer(&summary->messages, g_ptr_array_unref);
  g_free(summary);
}

PxSummary *px_summary_of_file(const PxProject *project, int64_t file_id, GError **error) {
  g_autoptr(PxPatternFile) file = px_file_get(project->db, file_id, error);
  return file ? px_summary_new(file) : NULL;
}

bool px_summary_messages(const PxProject *project, const PxSummary *summary, PxMessageVisit visit, void *data, GError **error) {
  for (guint i = 0; summary->messages && i < summary->messages->len; i++)
    if (!visit(summary->messages->pdata[i], data))
      return true;
  if (!summary->file_id)
    return true;
  g_autoptr(PxFileMessages) messages = px_file_messages_open(project->db, summary->file_id);
  const PxMessage *message;
  int found;
  while ((found = px_file_messages_next(messages, &message, error)) > 0)
    if (!visit(message, data))
      return true;
  return found == 0;
}
