/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and checksum of a member are not known when it begins: they stand behind its data (APPNOTE 4.3.9) and in the directory. */
#include "format/zip_write.h"

#include "base/file.h"
#include "format/writer_driver.h"

#include <fcntl.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEVEL 1
#define OUTPUT_SIZE ((size_t)128 * 1024)
#define FLAG_DESCRIPTOR 0x0008
#define METHOD_DEFLATED 8
#define VERSION 20      /* deflated */
#define VERSION_64 45   /* zip64 */
#define VERSION_PLACE 4 /* in a local header */
#define LOCAL_SIZE 30
#define DATE_1980 0x0021 /* 1980-01-01: the same records make the same bytes */
#define ALL_ONES_16 ((uint64_t)0xFFFF)
#define ALL_ONES_32 ((uint64_t)0xFFFFFFFF)

typedef struct {
  char *name;
  size_t name_len;
  bool large;                                  /* said so when it began */
  uint16_t version, flags, method, time, date; /* version 0: what its size asks for */
  uint32_t crc;
  uint64_t packed, size, start;
} Member;

struct PxZipWriter {
  int fd;
  off_t base;      /* of the archive in the file; -1: what is written cannot be changed (a pipe) */
  uint64_t at;     /* bytes written */
  GArray *members; /* Member */
  struct isal_zstream deflate;
  uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
  uint8_t output[OUTPUT_SIZE];
};

/* Where the archive begins in a file whose bytes can be written again. */
static off_t base_of(int fd) {
  struct stat status;
  int flags = fcntl(fd, F_GETFL);
  bool changeable = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && flags >= 0 && !(flags & O_APPEND);
  return changeable ? lseek(fd, 0, SEEK_CUR) : -1;
}

static void member_done(void *member) {
  g_free(((Member *)member)->name);
}

PxZipWriter *px_zip_writer_new(int fd) {
  PxZipWriter *writer = g_new(PxZipWriter, 1);
  writer->fd = fd;
  writer->base = base_of(fd);
  writer->at = 0;
  writer->members = g_array_new(FALSE, FALSE, sizeof(Member));
  g_array_set_clear_func(writer->members, member_done);
  isal_deflate_init(&writer->deflate);
  writer->deflate.level = LEVEL;
  writer->deflate.level_buf = writer->level_buffer;
  writer->deflate.level_buf_size = sizeof(writer->level_buffer);
  return writer;
}

void px_zip_writer_free(PxZipWriter *writer) {
  if (!writer)
    return;
  g_array_unref(writer->members);
  g_free(writer);
}

/* ---- numbers of the layout */

static void put(GByteArray *record, uint64_t value, unsigned bytes) {
  uint8_t little[8];
  for (unsigned i = 0; i < bytes; i++)
    little[i] = (uint8_t)(value >> (8 * i));
  g_byte_array_append(record, little, bytes);
}

static void put_text(GByteArray *record, const char *text) {
  g_byte_array_append(record, (const uint8_t *)text, (guint)strlen(text));
}

static bool write_record(PxZipWriter *writer, const GByteArray *record, GError **error) {
  writer->at += record->len;
  return px_write_all(writer->fd, record->data, record->len, "the file", error);
}

static Member *last_member(PxZipWriter *writer) {
  return &g_array_index(writer->members, Member, writer->members->len - 1);
}

static bool is_64(const Member *member) {
  return member->size >= ALL_ONES_32 || member->packed >= ALL_ONES_32;
}

/* Excel takes a workbook for broken when the versions in a local header and in the directory differ. */
static unsigned version_of(const Member *member) {
  if (member->version > 0)
    return member->version;
  return member->large || is_64(member) || member->start >= ALL_ONES_32 ? VERSION_64 : VERSION;
}

/* ---- a member */

bool px_zip_writer_begin(PxZipWriter *writer, const char *name, bool large, GError **error) {
  /* Where the header can be changed afterwards, nothing needs to be said before it is true. */
  Member member = {.name = g_strdup(name),
                   .name_len = strlen(name),
                   .large = large && writer->base < 0,
                   .flags = FLAG_DESCRIPTOR,
                   .method = METHOD_DEFLATED,
                   .date = DATE_1980,
                   .start = writer->at};
  g_array_append_val(writer->members, member);
  isal_deflate_reset(&writer->deflate);
  g_autoptr(GByteArray) record = g_byte_array_new();
  put(record, 0x04034b50, 4);
  put(record, version_of(&member), 2);
  put(record, FLAG_DESCRIPTOR, 2);
  put(record, METHOD_DEFLATED, 2);
  put(record, 0, 2);
  put(record, DATE_1980, 2);
  put(record, 0, 4); /* checksum, sizes: behind the data */
  put(record, 0, 4);
  put(record, 0, 4);
  put(record, strlen(name), 2);
  put(record, 0, 2);
  put_text(record, name);
  return write_record(writer, record, error);
}

static bool deflate(PxZipWriter *writer, const void *bytes, uint32_t len, bool last, GError **error) {
  struct isal_zstream *stream = &writer->deflate;
  Member *member = last_member(writer);
  stream->next_in = (uint8_t *)(uintptr_t)bytes; /* it is only read */
  stream->avail_in = len;
  stream->end_of_stream = last;
  do {
    stream->next_out = writer->output;
    stream->avail_out = OUTPUT_SIZE;
    int result = isal_deflate(stream);
    g_assert(result == COMP_OK); /* the others are about wrong parameters */
    size_t packed = OUTPUT_SIZE - stream->avail_out;
    member->packed += packed;
    writer->at += packed;
    if (!px_write_all(writer->fd, writer->output, packed, "the file", error))
      return false;
  } while (stream->avail_out == 0);
  return true;
}

bool px_zip_writer_add(PxZipWriter *writer, const void *bytes, size_t len, GError **error) {
  Member *member = last_member(writer);
  member->crc = crc32_gzip_refl(member->crc, bytes, len);
  member->size += len;
  const char *from = bytes;
  while (len > 0) {
    uint32_t piece = (uint32_t)MIN(len, (size_t)1 << 30);
    if (!deflate(writer, from, piece, false, error))
      return false;
    from += piece;
    len -= piece;
  }
  return true;
}

static bool correct_version(PxZipWriter *writer, const Member *member, GError **error) {
  if (version_of(member) == VERSION || writer->base < 0 || member->large)
    return true;
  const uint8_t version = VERSION_64;
  return pwrite(writer->fd, &version, 1, writer->base + (off_t)member->start + VERSION_PLACE) == 1 || px_fail_to_write("the file", error);
}

bool px_zip_writer_end(PxZipWriter *writer, GError **error) {
  if (!deflate(writer, "", 0, true, error))
    return false;
  const Member *member = last_member(writer);
  unsigned size_bytes = is_64(member) ? 8 : 4;
  g_autoptr(GByteArray) record = g_byte_array_new();
  put(record, 0x08074b50, 4);
  put(record, member->crc, 4);
  put(record, member->packed, size_bytes);
  put(record, member->size, size_bytes);
  return write_record(writer, record, error) && correct_version(writer, member, error);
}

/* ---- a member of another archive */

/* Header, data, and what stands behind them: all up to where the next thing begins. */
static bool copy_bytes(PxZipWriter *writer, int fd, uint64_t from, uint64_t to, GError **error) {
  while (from < to) {
    size_t n = (size_t)MIN(to - from, OUTPUT_SIZE);
    if (!px_zip_read_at(fd, from, writer->output, n, "a member", error) || !px_write_all(writer->fd, writer->output, n, "the file", error))
      return false;
    from += n;
    writer->at += n;
  }
  return true;
}

bool px_zip_writer_copy(PxZipWriter *writer, const PxZip *zip, const PxZipMember *member, GError **error) {
  uint8_t local[LOCAL_SIZE];
  if (!px_zip_read_at(px_zip_fd(zip), member->start, local, sizeof(local), "a member's header", error))
    return false;
  if (px_zip_u32(local) != 0x04034b50 || px_zip_u16(local + 26) != member->raw_len) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "broken zip archive: its member %s is not where its directory says", member->name);
    return false;
  }
  Member copy = {.name = g_memdup2(member->raw_name, member->raw_len),
                 .name_len = member->raw_len,
                 .version = px_zip_u16(local + 4),
                 .flags = member->flags,
                 .method = member->method,
                 .time = px_zip_u16(local + 10),
                 .date = px_zip_u16(local + 12),
                 .crc = member->crc,
                 .packed = member->packed,
                 .size = member->size,
                 .start = writer->at};
  g_array_append_val(writer->members, copy);
  return copy_bytes(writer, px_zip_fd(zip), member->start, member->next, error);
}

/* ---- the directory */

static void put_entry(GByteArray *record, const Member *member) {
  g_autoptr(GByteArray) extra = g_byte_array_new();
  const uint64_t values[] = {member->size, member->packed, member->start}; /* in the order of APPNOTE 4.5.3 */
  for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
    if (values[i] >= ALL_ONES_32)
      put(extra, values[i], 8);
  put(record, 0x02014b50, 4);
  put(record, version_of(member), 2);
  put(record, version_of(member), 2);
  put(record, member->flags, 2);
  put(record, member->method, 2);
  put(record, member->time, 2);
  put(record, member->date, 2);
  put(record, member->crc, 4);
  put(record, MIN(member->packed, ALL_ONES_32), 4);
  put(record, MIN(member->size, ALL_ONES_32), 4);
  put(record, member->name_len, 2);
  put(record, extra->len ? extra->len + 4 : 0, 2);
  put(record, 0, 2); /* comment, disk, attributes */
  put(record, 0, 2);
  put(record, 0, 2);
  put(record, 0, 4);
  put(record, MIN(member->start, ALL_ONES_32), 4);
  g_byte_array_append(record, (const uint8_t *)member->name, (guint)member->name_len);
  if (!extra->len)
    return;
  put(record, 0x0001, 2);
  put(record, extra->len, 2);
  g_byte_array_append(record, extra->data, extra->len);
}

/* start, len: of the directory */
static void put_end_64(GByteArray *record, uint64_t members, uint64_t start, uint64_t len) {
  put(record, 0x06064b50, 4);
  put(record, 44, 8); /* bytes that follow */
  put(record, VERSION_64, 2);
  put(record, VERSION_64, 2);
  put(record, 0, 4);
  put(record, 0, 4);
  put(record, members, 8);
  put(record, members, 8);
  put(record, len, 8);
  put(record, start, 8);
  put(record, 0x07064b50, 4); /* where that stands */
  put(record, 0, 4);
  put(record, start + len, 8);
  put(record, 1, 4);
}

bool px_zip_writer_finish(PxZipWriter *writer, GError **error) {
  g_autoptr(GByteArray) record = g_byte_array_new();
  uint64_t n = writer->members->len;
  uint64_t start = writer->at;
  for (guint i = 0; i < n; i++)
    put_entry(record, &g_array_index(writer->members, Member, i));
  uint64_t len = record->len;
  if (n >= ALL_ONES_16 || start >= ALL_ONES_32 || len >= ALL_ONES_32)
    put_end_64(record, n, start, len);
  put(record, 0x06054b50, 4);
  put(record, 0, 2);
  put(record, 0, 2);
  put(record, MIN(n, ALL_ONES_16), 2);
  put(record, MIN(n, ALL_ONES_16), 2);
  put(record, MIN(len, ALL_ONES_32), 4);
  put(record, MIN(start, ALL_ONES_32), 4);
  put(record, 0, 2);
  return write_record(writer, record, error);
}
