/* SPDX-License-Identifier: Apache-2.0 */
#include "command/summary.h"

#include <stdio.h>

json_t *px_summary_to_json(const PxSummary *summary) {
  const PxCounts *counts = &summary->counts;
  json_t *object = json_object();
  json_object_set_new(object, "state", px_json_text(px_state_name(summary->state)));
  json_object_set_new(object, "rows", px_json_count(counts->rows));
  if (summary->kind == PX_FILE_IMPORT) {
    json_object_set_new(object, "created", px_json_count(counts->created));
    json_object_set_new(object, "updated", px_json_count(counts->updated));
    json_object_set_new(object, "unchanged", px_json_count(counts->unchanged));
    json_object_set_new(object, "failed", px_json_count(counts->failed));
    json_object_set_new(object, "skipped", px_json_count(counts->skipped));
  }
  json_object_set_new(object, "name", px_json_text(summary->name));
  json_object_set_new(object, "pattern", px_json_text(summary->pattern));
  json_object_set_new(object, "task", px_json_text(summary->task));
  json_object_set_new(object, "file", summary->file_id ? json_integer(summary->file_id) : json_null());
  json_object_set_new(object, "attachment", summary->attachment_id ? json_integer(summary->attachment_id) : json_null());
  json_object_set_new(object, "error", px_json_text(summary->error));
  if (summary->note)
    json_object_set_new(object, "note", px_json_text(summary->note));
  if (summary->hint)
    json_object_set_new(object, "hint", px_json_text(summary->hint));
  return object;
}

static json_t *message_to_json(const PxMessage *message) {
  json_t *object = json_object();
  json_object_set_new(object, "row", message->row ? px_json_count(message->row) : json_null());
  json_object_set_new(object, "column", px_json_text(message->column));
  json_object_set_new(object, "field", px_json_text(message->field));
  json_object_set_new(object, "type", px_json_text(message->type));
  json_object_set_new(object, "message", px_json_text(message->message));
  return object;
}

static bool add_message(const PxMessage *message, void *data) {
  json_array_append_new(data, message_to_json(message));
  return true;
}

json_t *px_summary_messages_to_json(const PxProject *project, const PxSummary *summary, GError **error) {
  g_autoptr(json_t) messages = json_array();
  return px_summary_messages(project, summary, add_message, messages, error) ? g_steal_pointer(&messages) : NULL;
}

/* As an item of an array that is a member of the object at the top. */
static bool print_message_json(const PxMessage *message, void *data) {
  uint64_t *n = data;
  g_autoptr(json_t) object = message_to_json(message);
  g_autofree char *text = json_dumps(object, JSON_INDENT(2));
  fputs((*n)++ ? ",\n    " : "\n    ", stdout);
  for (const char *at = text; *at; at++) {
    putchar(*at);
    if (*at == '\n')
      fputs("    ", stdout);
  }
  return true;
}

bool px_summary_print_json(const PxProject *project, const PxSummary *summary, const json_t *object, GError **error) {
  g_autofree char *text = json_dumps(object, JSON_INDENT(2));
  uint64_t n = 0;
  printf("%.*s,\n  \"messages\": [", (int)(strlen(text) - strlen("\n}")), text);
  bool done = px_summary_messages(project, summary, print_message_json, &n, error);
  puts(n ? "\n  ]\n}" : "]\n}");
  return done;
}

typedef struct {
  uint64_t n;
  uint64_t most;
} Shown;

static bool print_message(const PxMessage *message, void *data) {
  Shown *shown = data;
  if (shown->n++ < shown->most) {
    g_autofree char *line = px_message_line(message);
    g_autofree char *safe = px_output_line(line);
    printf("  %s\n", safe);
  }
  return true;
}

static void print_rest(const PxProject *project, const PxSummary *summary, uint64_t n) {
  g_autofree char *more = px_group_digits(n);
  printf("  ... and %s more", more);
  if (summary->file_id && !project->dry_run)
    printf(", see pattimpex files %" G_GINT64_FORMAT, summary->file_id);
  puts("");
}

bool px_summary_print_messages(const PxProject *project, const PxSummary *summary, uint64_t most, GError **error) {
  Shown shown = {.most = most};
  if (!px_summary_messages(project, summary, print_message, &shown, error))
    return false;
  if (shown.n > most)
    print_rest(project, summary, shown.n - most);
  g_autofree char *hint = summary->hint ? px_output_line(summary->hint) : NULL;
  if (hint)
    printf("  Hint: %s\n", hint);
  return true;
}

int px_summary_exit_status(const PxSummary *summary) {
  if (summary->state == PX_STATE_REFUSED)
    return 2;
  return summary->state == PX_STATE_DONE ? 0 : 1;
}
