/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

struct PxComplaints {
  GPtrArray *list; /* PxComplaint, with their own strings */
  size_t errors;
};

static void complaint_free(void *data) {
  PxComplaint *complaint = data;
  g_free((void *)(uintptr_t)complaint->file);
  g_free((void *)(uintptr_t)complaint->text);
  g_free(complaint);
}

PxComplaints *px_complaints_new(void) {
  PxComplaints *complaints = g_new0(PxComplaints, 1);
  complaints->list = g_ptr_array_new_with_free_func(complaint_free);
  return complaints;
}

void px_complaints_free(PxComplaints *complaints) {
  if (!complaints)
    return;
  g_ptr_array_unref(complaints->list);
  g_free(complaints);
}

static void add(PxComplaints *complaints, const char *file, unsigned line, bool is_warning, const char *format, va_list args) G_GNUC_PRINTF(5, 0);

static void add(PxComplaints *complaints, const char *file, unsigned line, bool is_warning, const char *format, va_list args) {
  PxComplaint *complaint = g_new(PxComplaint, 1);
  *complaint = (PxComplaint){.file = g_strdup(file), .line = line, .is_warning = is_warning, .text = g_strdup_vprintf(format, args)};
  g_ptr_array_add(complaints->list, complaint);
  complaints->errors += !is_warning;
}

void px_complain_at(PxComplaints *complaints, const char *file, unsigned line, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(complaints, file, line, false, format, args);
  va_end(args);
}

void px_complain(PxComplaints *complaints, const PxConfigNode *node, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(complaints, px_node_file(node), px_node_line(node), false, format, args);
  va_end(args);
}

void px_warn(PxComplaints *complaints, const PxConfigNode *node, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(complaints, px_node_file(node), px_node_line(node), true, format, args);
  va_end(args);
}

size_t px_complaints_errors(const PxComplaints *complaints) {
  return complaints->errors;
}

size_t px_complaints_count(const PxComplaints *complaints) {
  return complaints->list->len;
}

const PxComplaint *px_complaints_at(const PxComplaints *complaints, size_t i) {
  return i < complaints->list->len ? g_ptr_array_index(complaints->list, i) : NULL;
}

bool px_complaints_to_error(const PxComplaints *complaints, GError **error) {
  if (complaints->errors == 0)
    return true;
  g_autoptr(GString) text = g_string_new(NULL);
  for (unsigned i = 0; i < complaints->list->len; i++) {
    const PxComplaint *complaint = g_ptr_array_index(complaints->list, i);
    if (complaint->is_warning)
      continue;
    if (text->len > 0)
      g_string_append_c(text, '\n');
    if (complaint->file && complaint->line > 0)
      g_string_append_printf(text, "%s:%u: ", complaint->file, complaint->line);
    else if (complaint->file)
      g_string_append_printf(text, "%s: ", complaint->file);
    g_string_append(text, complaint->text);
  }
  g_set_error_literal(error, PX_ERROR, PX_ERROR_CONFIG, text->str);
  return false;
}

char *px_complaint_text(const PxComplaint *complaint) {
  g_autofree char *place = NULL;
  if (complaint->file && complaint->line > 0)
    place = g_strdup_printf("%s:%u: ", complaint->file, complaint->line);
  else if (complaint->file)
    place = g_strdup_printf("%s: ", complaint->file);
  return g_strdup_printf("%s%s%s", place ? place : "", complaint->is_warning ? "warning: " : "", complaint->text);
}
