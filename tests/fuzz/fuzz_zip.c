/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an archive: what opens has members that lie inside it and apart, and one that is read to its end has the size it said. Then the
 * same bytes as a workbook. */
#include "fuzz.h"

#include "format/xlsx_read_private.h"
#include "format/zip_private.h"
#include "unit/format/rows.h"
#include "unit/format/zip_make.h"

#include <unistd.h>

static void read_member(const PxZip *zip, const PxZipMember *member) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxZipStream) stream = px_zip_stream_open(zip, member, &error);
  uint64_t size = 0;
  char piece[1000];
  size_t len = sizeof piece;
  while (stream && len == sizeof piece && px_zip_stream_read(stream, piece, sizeof piece, &len, &error))
    size += len;
  if (!error && size != member->size)
    g_error("%s: %" G_GUINT64_FORMAT " bytes instead of %" G_GUINT64_FORMAT, member->name, size, member->size);
  if (stream && px_zip_stream_used(stream) > member->packed)
    g_error("%s: more has been used than there is", member->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const PxZipLimits limits = {.max_members = 20, .max_member_bytes = 1 << 20, .max_ratio = 1000};
  int fd = test_file((const char *)data, size);
  g_autoptr(GError) error = NULL;
  g_autoptr(PxZip) zip = px_zip_open(fd, &limits, &error);
  if (!zip == !error)
    g_error("neither an archive nor a complaint");
  uint64_t packed = 0;
  for (size_t i = 0; zip && i < px_zip_count(zip); i++) {
    const PxZipMember *member = px_zip_member(zip, i);
    packed += member->packed;
    if (packed > size || member->next > size)
      g_error("%s: it has more bytes than the archive", member->name);
    read_member(zip, member);
  }
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  options.max_member_bytes = 1 << 20;
  g_autofree char *rows = test_fd_rows(fd, &options, 0, 0, false);
  px_format_options_done(&options);
  close(fd);
  return 0;
}
