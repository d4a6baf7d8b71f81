/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/list.h"
#include "command/open.h"
#include "command/summary.h"

#include <stdio.h>

static json_t *file_to_json(gconstpointer row, GTimeZone *timezone) {
  const PxPatternFile *file = row;
  json_t *object = json_object();
  json_object_set_new(object, "id", json_integer(file->id));
  json_object_set_new(object, "kind", px_json_text(px_file_kind_name(file->kind)));
  json_object_set_new(object, "state", px_json_text(px_state_name(file->state)));
  json_object_set_new(object, "name", px_json_text(file->name));
  json_object_set_new(object, "pattern", px_json_text(file->pattern));
  json_object_set_new(object, "task", px_json_text(file->task));
  json_object_set_new(object, "attachment", file->attachment_id ? json_integer(file->attachment_id) : json_null());
  json_object_set_new(object, "previous", file->previous_id ? json_integer(file->previous_id) : json_null());
  json_object_set_new(object, "failed_only", json_boolean(file->failed_only));
  json_object_set_new(object, "rows", px_json_count(file->counts.rows));
  if (file->kind == PX_FILE_IMPORT) {
    json_object_set_new(object, "created", px_json_count(file->counts.created));
    json_object_set_new(object, "updated", px_json_count(file->counts.updated));
    json_object_set_new(object, "unchanged", px_json_count(file->counts.unchanged));
    json_object_set_new(object, "failed", px_json_count(file->counts.failed));
    json_object_set_new(object, "skipped", px_json_count(file->counts.skipped));
  }
  json_object_set_new(object, "bytes_done", px_json_count(file->bytes_done));
  json_object_set_new(object, "bytes_total", px_json_count(file->bytes_total));
  json_object_set_new(object, "at", px_json_time(file->created, timezone));
  json_object_set_new(object, "started", px_json_time(file->started, timezone));
  json_object_set_new(object, "ended", px_json_time(file->ended, timezone));
  json_object_set_new(object, "error", px_json_text(file->error));
  return object;
}

/* ---- chunks of a file that was spread over several parts */

static json_t *chunk_to_json(const PxPlannedChunk *planned) {
  json_t *object = json_object();
  json_object_set_new(object, "part", json_integer(planned->part));
  json_object_set_new(object, "state", px_json_text(px_state_name(planned->state)));
  json_object_set_new(object, "first_row", px_json_count(planned->chunk.first_row));
  json_object_set_new(object, "last_row", px_json_count(planned->chunk.last_row));
  json_object_set_new(object, "rows", px_json_count(planned->chunk.counts.rows));
  json_object_set_new(object, "failed", px_json_count(planned->chunk.counts.failed));
  json_object_set_new(object, "job", planned->job_id ? json_integer(planned->job_id) : json_null());
  json_object_set_new(object, "error", px_json_text(planned->error));
  return object;
}

static json_t *chunks_to_json(const GPtrArray *chunks) {
  json_t *array = json_array();
  for (guint i = 0; i < chunks->len; i++)
    json_array_append_new(array, chunk_to_json(chunks->pdata[i]));
  return array;
}

/* "22: 18 done, 1 failed, 3 pending". */
static json_t *chunks_line(const GPtrArray *chunks) {
  unsigned counts[PX_N_STATES] = {0};
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < chunks->len; i++)
    counts[((const PxPlannedChunk *)chunks->pdata[i])->state]++;
  g_string_append_printf(text, "%u", chunks->len);
  for (unsigned state = 0; state < PX_N_STATES; state++)
    if (counts[state])
      g_string_append_printf(text, "%s %u %s", text->str[text->len - 1] >= 'a' ? "," : ":", counts[state], px_state_name((PxState)state));
  return json_string(text->str);
}

static void print_failed_chunks(const GPtrArray *chunks) {
  for (guint i = 0; i < chunks->len; i++) {
    const PxPlannedChunk *planned = chunks->pdata[i];
    if (planned->state != PX_STATE_FAILED)
      continue;
    g_autofree char *text =
      g_strdup_printf("chunk of %" G_GUINT64_FORMAT " rows from row %" G_GUINT64_FORMAT " on was not loaded (job %" G_GINT64_FORMAT "): %s",
                      planned->chunk.counts.rows, planned->chunk.first_row, planned->job_id, planned->error ? planned->error : "");
    g_autofree char *safe = px_output_line(text);
    puts(safe);
  }
}

/* ---- one file */

static bool print_message(const PxMessage *message, void *data) {
  g_autofree char *text = px_message_line(message);
  g_autofree char *safe = px_output_line(text);
  puts(safe);
  return true;
}

static bool print_file(const PxCommandLine *line, const PxProject *project, const PxPatternFile *file, const PxSummary *summary, GError **error) {
  static const PxColumn columns[] = {
    {"id", "File"},
    {"name", "Name"},
    {"kind", "Kind"},
    {"state", "State"},
    {"pattern", "Pattern"},
    {"task", "Task"},
    {"attachment", "Attachment"},
    {"previous", "Try before"},
    {"failed_only", "Failed rows only"},
    {"rows", "Rows"},
    {"created", "Created"},
    {"updated", "Updated"},
    {"unchanged", "Unchanged"},
    {"failed", "Failed"},
    {"skipped", "Skipped"},
    {"chunks", "Chunks"},
    {"at", "Queued", true},
    {"started", "Started", true},
    {"ended", "Ended", true},
    {"error", "Error"},
  };
  g_autoptr(json_t) object = file_to_json(file, project->timezone);
  g_autoptr(GPtrArray) chunks = px_chunk_planned(project->db, file->id, error);
  if (!chunks)
    return false;
  if (chunks->len)
    json_object_set_new(object, "chunks", line->json ? chunks_to_json(chunks) : chunks_line(chunks));
  if (line->json)
    return px_summary_print_json(project, summary, object, error);
  px_print_object(false, object, columns, G_N_ELEMENTS(columns));
  print_failed_chunks(chunks);
  return px_summary_messages(project, summary, print_message, NULL, error);
}

static int show(const PxCommandLine *line, const PxProject *project, GError **error) {
  int64_t id = 0;
  if (!px_command_id(line->args[0], "file", &id, error))
    return 2;
  g_autoptr(PxPatternFile) file = px_file_get(project->db, id, error);
  if (!file)
    return 2;
  g_autoptr(PxSummary) summary = px_summary_of_file(project, id, error);
  return summary && print_file(line, project, file, summary, error) ? 0 : 2;
}

static int run(const PxCommandLine *line, GError **error) {
  static const PxColumn columns[] = {
    {"id", "ID"},           {"kind", "KIND"},       {"state", "STATE"},         {"name", "NAME"},     {"task", "TASK"},      {"rows", "ROWS"},
    {"created", "CREATED"}, {"updated", "UPDATED"}, {"unchanged", "UNCHANGED"}, {"failed", "FAILED"}, {"at", "QUEUED", true}};
  static const PxListing listing = {px_file_list, file_to_json, columns, G_N_ELEMENTS(columns), "No files."};
  if (!px_list_check(false, error))
    return 2;
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_files = true}, error);
  if (!project)
    return 2;
  return line->n_args == 1 ? show(line, project, error) : px_list_print(line, project, &listing, error);
}

const PxCommand px_command_files = {
  .name = "files",
  .arguments = "[ID]",
  .summary = "List the files that were read or written, or show one with its messages",
  .help = "A file that was imported again stands there once for each try.\n\n"
          "Examples:\n"
          "  pattimpex files --state failed\n"
          "  pattimpex files 7\n"
          "  pattimpex files 7 --json\n",
  .options = px_list_options,
  .max_args = 1,
  .run = run,
};
