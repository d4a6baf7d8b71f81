/* SPDX-License-Identifier: Apache-2.0 */
/* The workbook goes through, member by member. */
#include "format/xlsx_mark_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_TEXT ((uint32_t)16 * 1024 * 1024)

/* ---- texts */

bool px_mark_texts_open(PxMarkTexts *texts, int fd, GError **error) {
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  texts->file = own >= 0 ? fdopen(own, "r") : NULL;
  texts->text = g_string_new(NULL);
  if (!texts->file || fseek(texts->file, 0, SEEK_SET) != 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read the messages: %s", g_strerror(errno));
    if (own >= 0 && !texts->file)
      (void)close(own);
    return false;
  }
  return px_mark_texts_next(texts, error);
}

void px_mark_texts_close(PxMarkTexts *texts) {
  if (texts->file)
    (void)fclose(texts->file);
  if (texts->text)
    g_string_free(texts->text, TRUE);
  *texts = (PxMarkTexts){0};
}

bool px_mark_texts_next(PxMarkTexts *texts, GError **error) {
  PxMarkText head;
  uint32_t before = texts->row;
  texts->row = 0;
  if (fread(&head, sizeof(head), 1, texts->file) != 1)
    return feof(texts->file) || px_edit_refuse(error, "cannot read the messages");
  if (head.row <= before || head.length > MOST_TEXT)
    return px_edit_refuse(error, "the messages are not in order");
  g_autofree char *bytes = g_malloc(head.length + 1U);
  if (fread(bytes, 1, head.length, texts->file) != head.length)
    return px_edit_refuse(error, "the messages are cut off");
  g_autofree char *valid = g_utf8_make_valid(bytes, head.length);
  g_string_assign(texts->text, valid);
  texts->row = head.row;
  return true;
}

/* ---- members */

static bool edit_references(PxMark *mark, const PxZipMember *member, const PxPart *part, PxZipWriter *to, bool *ret_changed, GError **error) {
  g_auto(PxEdit) edit;
  px_edit_init(&edit, px_edit_references, NULL, &mark->shift, part->own);
  bool ok = px_edit_run(&edit, mark->zip, member, to, error);
  *ret_changed = edit.changed;
  return ok;
}

/* to NULL: only says whether the member changes. */
static bool edit_member(PxMark *mark, const PxZipMember *member, const PxPart *part, PxZipWriter *to, bool *ret_changed, GError **error) {
  *ret_changed = true;
  switch (part->kind) {
  case PX_PART_SHEET:
    return px_mark_sheet(mark, member, part->own, to, ret_changed, error);
  case PX_PART_REFERENCES:
  case PX_PART_DRAWING:
    return edit_references(mark, member, part, to, ret_changed, error);
  case PX_PART_NOTES:
    return px_mark_notes(mark, member, to, error);
  case PX_PART_STYLES:
    return px_mark_styles(mark, member, to, error);
  case PX_PART_TYPES:
  case PX_PART_BOOK_RELATIONS:
    return px_mark_unlist(mark, member, to, error);
  case PX_PART_FOREIGN:
  case PX_PART_KEPT:
  case PX_PART_CHAIN:
    break;
  }
  *ret_changed = false;
  return true;
}

static bool is_untouched(const PxMark *mark, const PxPart *part) {
  if (!part || part->kind == PX_PART_FOREIGN || part->kind == PX_PART_KEPT)
    return true;
  if (part->kind == PX_PART_STYLES || (part->kind == PX_PART_SHEET && part->own))
    return false;
  bool moves = mark->shift.columns > 0 || mark->shift.drops;
  return !moves || ((part->kind == PX_PART_TYPES || part->kind == PX_PART_BOOK_RELATIONS) && !mark->chain);
}

static bool put_member(PxMark *mark, const PxZipMember *member, PxZipWriter *to, GError **error) {
  const PxPart *part = px_mark_part(mark, member->name);
  bool changed;
  if (is_untouched(mark, part))
    return px_zip_writer_copy(to, mark->zip, member, error);
  if (part->kind == PX_PART_CHAIN)
    return true;
  /* Whether another sheet, or a list of names, refers to the one that was imported shows only when it has been read. */
  bool asks = !(part->kind == PX_PART_SHEET && part->own);
  if (asks && !edit_member(mark, member, part, NULL, &changed, error))
    return false;
  if (asks && !changed)
    return px_zip_writer_copy(to, mark->zip, member, error);
  bool large = member->size > UINT32_MAX / 2;
  return px_zip_writer_begin(to, member->name, large, error) && edit_member(mark, member, part, to, &changed, error) && px_zip_writer_end(to, error);
}

static bool put_members(PxMark *mark, int out, GError **error) {
  g_autoptr(PxZipWriter) to = px_zip_writer_new(out);
  for (size_t i = 0; i < px_zip_count(mark->zip); i++)
    if (!put_member(mark, px_zip_member(mark->zip, i), to, error))
      return false;
  return px_zip_writer_finish(to, error);
}

/* The numbers of the new styles must be known before the first cell is written. */
static bool find_styles(PxMark *mark, GError **error) {
  for (size_t i = 0; i < px_zip_count(mark->zip); i++) {
    const PxZipMember *member = px_zip_member(mark->zip, i);
    const PxPart *part = px_mark_part(mark, member->name);
    if (part && part->kind == PX_PART_STYLES && !px_mark_styles(mark, member, NULL, error))
      return false;
  }
  return true;
}

static char *make_note(const PxMark *mark) {
  const char *sheet = mark->book.sheet;
  if (mark->squeezed) {
    char letters[4];
    int n = (int)px_column_letters(mark->column, letters);
    bool stay = mark->end_reason->len > 0 || mark->rows_reason->len > 0;
    const char *why = mark->end_reason->len > 0 ? mark->end_reason->str : mark->rows_reason->str;
    return g_strdup_printf("sheet %s: #Error stands in column %.*s, in which there was nothing, because the last column of the sheet (XFD) is in use "
                           "and so nothing can move to the right%s%s",
                           sheet, n, letters, stay ? "; all rows are there, because of " : "", stay ? why : "");
  }
  if (mark->end_reason->len > 0)
    return g_strdup_printf(
      "sheet %s: #Error stands behind the last column and all rows are there, because something refers to cells of the sheet that "
      "this program cannot move: %s",
      sheet, mark->end_reason->str);
  if (mark->rows_reason->len > 0)
    return g_strdup_printf("sheet %s: all rows are there, not only the bad ones, because of %s", sheet, mark->rows_reason->str);
  return NULL;
}

static bool run(PxMark *mark, int blob, int texts, int out, const PxMarkOptions *how, PxMarkResult *ret_result, GError **error) {
  const PxFormatOptions *options = mark->options;
  const PxZipLimits limits = {
    .max_members = options->max_members, .max_member_bytes = options->max_member_bytes, .max_ratio = MAX(options->max_ratio, 1)};
  mark->zip = px_zip_open(blob, &limits, error);
  if (!mark->zip || !px_xlsx_book_read(&mark->book, mark->zip, options->sheet, error))
    return false;
  if (!px_mark_texts_open(&mark->texts, texts, error) || !px_mark_survey(mark, how->all_rows, error) || !find_styles(mark, error))
    return false;
  px_mark_texts_close(&mark->texts);
  if (!px_mark_texts_open(&mark->texts, texts, error) || !put_members(mark, out, error))
    return false;
  *ret_result = (PxMarkResult){.rows = mark->rows, .note = make_note(mark)};
  return true;
}

static void mark_done(PxMark *mark) {
  px_mark_texts_close(&mark->texts);
  px_xlsx_book_done(&mark->book);
  px_zip_close(mark->zip);
  g_hash_table_unref(mark->parts);
  g_free(mark->chain);
  g_array_unref(mark->kept);
  g_array_unref(mark->replaced);
  g_ptr_array_unref(mark->ranges);
  g_string_free(mark->end_reason, TRUE);
  g_string_free(mark->rows_reason, TRUE);
}

bool px_xlsx_mark(int blob, int texts, int out, const PxFormatOptions *options, const PxMarkOptions *how, PxMarkResult *ret_result, GError **error) {
  PxMark mark = {.options = options, .header_rows = how->header_rows};
  mark.parts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  mark.kept = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  mark.replaced = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  mark.ranges = g_ptr_array_new_with_free_func(g_free);
  mark.end_reason = g_string_new(NULL);
  mark.rows_reason = g_string_new(NULL);
  bool ok = run(&mark, blob, texts, out, how, ret_result, error);
  mark_done(&mark);
  return ok;
}
