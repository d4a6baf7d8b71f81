/* SPDX-License-Identifier: Apache-2.0 */
/* Workbooks go back as they are, with the reasons inside. The texts of the rows go to the marker process in a file without a name. */
#include "report/report_private.h"

#include "base/file.h"
#include "format/marker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES ((gsize)4 * 32767) /* of a cell's text */

/* ---- the texts, a row at a time */

typedef struct {
  FILE *file;
  uint64_t row; /* whose messages text holds; 0: none yet */
  GString *text;
} Texts;

static void texts_done(Texts *texts) {
  if (texts->file)
    (void)fclose(texts->file);
  g_string_free(texts->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Texts, texts_done)

static bool fail(GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot keep the messages in a temporary file (set TMPDIR): %s", g_strerror(errno));
  return false;
}

static bool open_texts(Texts *texts, GError **error) {
  int fd = px_temporary_file(error);
  if (fd < 0)
    return false;
  texts->file = fdopen(fd, "w+");
  if (texts->file)
    return true;
  (void)close(fd);
  return fail(error);
}

static bool put_text(Texts *texts, GError **error) {
  if (texts->text->len == 0)
    return true;
  if (texts->text->len > MOST_BYTES) {
    const char *end;
    (void)g_utf8_validate(texts->text->str, MOST_BYTES, &end);
    g_string_truncate(texts->text, (gsize)(end - texts->text->str));
  }
  const PxMarkText head = {.row = (uint32_t)texts->row, .length = (uint32_t)texts->text->len};
  bool done = fwrite(&head, sizeof(head), 1, texts->file) == 1 && fwrite(texts->text->str, 1, head.length, texts->file) == head.length;
  g_string_truncate(texts->text, 0);
  return done || fail(error);
}

static bool put_texts(Texts *texts, PxMessageSource source, void *data, GError **error) {
  const PxMessage *message;
  while (source(&message, data)) {
    if (message->row == 0 || message->row > UINT32_MAX)
      continue;
    if (message->row != texts->row && !put_text(texts, error))
      return false;
    texts->row = message->row;
    px_report_append(texts->text, message);
  }
  return put_text(texts, error) && (fflush(texts->file) == 0 || fail(error));
}

/* The texts as messages, for a plain file. */
typedef struct {
  FILE *file;
  PxMessage message;
  GString *text;
} Again;

static bool next_again(const PxMessage **ret_message, void *data) {
  Again *again = data;
  PxMarkText head;
  if (fread(&head, sizeof(head), 1, again->file) != 1)
    return false;
  g_string_set_size(again->text, head.length);
  if (fread(again->text->str, 1, head.length, again->file) != head.length)
    return false;
  again->message = (PxMessage){.row = head.row, .message = again->text->str};
  *ret_message = &again->message;
  return true;
}

/* ---- the workbook */

/* What the marker does not take apart goes back as a workbook of our own, with values only. */
static bool write_plain(const PxErrorFile *file, Texts *texts, const GError *why, uint64_t *ret_rows, char **ret_note, GError **error) {
  g_autoptr(GString) text = g_string_new(NULL);
  Again again = {.file = texts->file, .text = text};
  if (fseek(texts->file, 0, SEEK_SET) != 0 || ftruncate(file->out_fd, file->out_start) != 0 || lseek(file->out_fd, file->out_start, SEEK_SET) < 0)
    return fail(error);
  PxErrorFile plain = *file;
  PxFormatOptions options = *file->options; /* a view */
  options.all_columns = true;
  plain.options = &options;
  bool cut = false;
  plain.ret_cut = &cut;
  plain.source = next_again;
  plain.data = &again;
  if (!px_report_write_rows(&plain, ret_rows, error))
    return false;
  *ret_note =
    g_strdup_printf("the error file holds values only%s, not the workbook that came: %s", cut ? ", without the last column" : "", why->message);
  return true;
}

bool px_report_write_book(const PxErrorFile *file, uint64_t *ret_rows, char **ret_note, GError **error) {
  g_auto(Texts) texts = {.text = g_string_new(NULL)};
  PxErrorFile here = *file;
  here.out_start = lseek(file->out_fd, 0, SEEK_CUR);
  if (!open_texts(&texts, error) || !put_texts(&texts, file->source, file->data, error))
    return false;
  const PxMarkOptions mark = {.header_rows = file->header_rows, .all_rows = file->all_rows};
  PxMarkResult result;
  g_autoptr(GError) problem = NULL;
  if (px_marker_run(file->blob_fd, fileno(texts.file), file->out_fd, file->options, &mark, &result, &problem)) {
    *ret_rows = result.rows;
    *ret_note = result.note;
    return true;
  }
  if (here.out_start >= 0 && g_error_matches(problem, PX_ERROR, PX_ERROR_REFUSED))
    return write_plain(&here, &texts, problem, ret_rows, ret_note, error);
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}
