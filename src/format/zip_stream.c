/* SPDX-License-Identifier: Apache-2.0 */
/* One member, inflated as it is asked for. */
#include "format/zip_private.h"

#include "base/text.h"

#include <inttypes.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>

#define LOCAL_SIZE 30
#define FLAG_DESCRIPTOR 0x0008
#define INPUT_SIZE ((size_t)64 * 1024)

struct PxZipStream {
  const PxZipMember *member;
  char *shown; /* its name in quotes */
  int fd;
  uint64_t at, end; /* of the packed bytes that have not been read */
  uint64_t size;    /* inflated so far */
  uint32_t crc;
  bool ended;
  struct inflate_state inflate;
  uint8_t input[INPUT_SIZE];
};

static bool refuse(const PxZipStream *stream, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool refuse(const PxZipStream *stream, GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "broken zip archive: its member %s %s: get the file again from whoever made it, or save it anew",
              stream->shown, what);
  return false;
}

/* ---- what stands before and behind the data */

/* A streaming writer did not know sizes and checksum when it wrote the header: they are zero there and stand behind the data. */
static bool local_agrees(const PxZipMember *member, const uint8_t *local, const uint8_t *extra, size_t extra_len) {
  uint64_t packed = px_zip_u32(local + 18);
  uint64_t size = px_zip_u32(local + 22);
  uint64_t *wanted[2];
  size_t n = 0;
  if (size == 0xFFFFFFFF)
    wanted[n++] = &size;
  if (packed == 0xFFFFFFFF)
    wanted[n++] = &packed;
  if (n && !px_zip_zip64(extra, extra_len, wanted, n))
    return false;
  bool later = member->flags & FLAG_DESCRIPTOR;
  uint32_t crc = px_zip_u32(local + 14);
  return (crc == member->crc || (later && crc == 0)) && (packed == member->packed || (later && packed == 0)) &&
         (size == member->size || (later && size == 0));
}

static bool read_local(PxZipStream *stream, GError **error) {
  const PxZipMember *member = stream->member;
  uint8_t local[LOCAL_SIZE];
  if (!px_zip_read_at(stream->fd, member->start, local, sizeof local, "a member's header", error))
    return false;
  size_t name_len = px_zip_u16(local + 26);
  size_t extra_len = px_zip_u16(local + 28);
  if (px_zip_u32(local) != 0x04034B50 || name_len != member->raw_len)
    return refuse(stream, error, "is not where the directory says");
  uint64_t head = LOCAL_SIZE + name_len + extra_len;
  if (head > member->next - member->start || member->packed > member->next - member->start - head)
    return refuse(stream, error, "overlaps with the next one");
  g_autofree uint8_t *rest = g_malloc(name_len + extra_len);
  if (!px_zip_read_at(stream->fd, member->start + LOCAL_SIZE, rest, name_len + extra_len, "a member's header", error))
    return false;
  bool same = memcmp(rest, member->raw_name, name_len) == 0 && px_zip_u16(local + 8) == member->method &&
              ((px_zip_u16(local + 6) ^ member->flags) & (FLAG_DESCRIPTOR | 1)) == 0;
  if (!same || !local_agrees(member, local, rest + name_len, extra_len))
    return refuse(stream, error, "says other things of itself than the directory does");
  stream->at = member->start + head;
  stream->end = stream->at + member->packed;
  return true;
}

/* Behind the data: an optional mark, the checksum, and the sizes in 4 or in 8 bytes, which writers do not agree on. */
static bool check_descriptor(const PxZipStream *stream, GError **error) {
  const PxZipMember *member = stream->member;
  uint8_t bytes[24] = {0};
  size_t room = (size_t)MIN(member->next - stream->end, sizeof bytes);
  if (!px_zip_read_at(stream->fd, stream->end, bytes, room, "a member's end", error))
    return false;
  size_t at = room >= 4 && px_zip_u32(bytes) == 0x08074B50 && room >= 16 ? 4 : 0;
  bool narrow = room >= at + 12 && px_zip_u32(bytes + at + 4) == (uint32_t)member->packed && px_zip_u32(bytes + at + 8) == (uint32_t)member->size;
  bool wide = room >= at + 20 && px_zip_u64(bytes + at + 4) == member->packed && px_zip_u64(bytes + at + 12) == member->size;
  if (room < at + 12 || px_zip_u32(bytes + at) != member->crc || !(narrow || wide))
    return refuse(stream, error, "says other things behind its data than the directory does");
  return true;
}

static bool check_limits(const PxZipStream *stream, const PxZipLimits *limits, GError **error) {
  const PxZipMember *member = stream->member;
  if (member->method != PX_ZIP_STORED && member->method != PX_ZIP_DEFLATED)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "the member %s of the zip archive is packed by method %u, which no spreadsheet program uses: save the workbook anew", stream->shown,
                member->method);
  else if (member->size > limits->max_member_bytes)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "the member %s of the zip archive has %" PRIu64 " bytes unpacked, at most %" PRIu64
                " are allowed: split the file, or raise member_bytes of the pattern's limits",
                stream->shown, member->size, limits->max_member_bytes);
  else if (member->size > PX_ZIP_RATIO_FLOOR && member->size / limits->max_ratio > member->packed)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "the member %s of the zip archive unpacks to more than %" PRIu64
                " times its size, as a zip bomb does: raise ratio of the pattern's limits when it is meant so",
                stream->shown, limits->max_ratio);
  else if (member->method == PX_ZIP_STORED && member->packed != member->size)
    return refuse(stream, error, "is stored as it is and yet has two sizes");
  else
    return true;
  return false;
}

PxZipStream *px_zip_stream_open(const PxZip *zip, const PxZipMember *member, GError **error) {
  PxZipStream *stream = g_new(PxZipStream, 1);
  stream->member = member;
  stream->shown = px_text_quote(member->name, strlen(member->name));
  stream->fd = px_zip_fd(zip);
  stream->size = 0;
  stream->crc = 0;
  stream->ended = false;
  isal_inflate_init(&stream->inflate);
  stream->inflate.next_in = stream->input;
  stream->inflate.avail_in = 0;
  if (!check_limits(stream, px_zip_limits(zip), error) || !read_local(stream, error)) {
    px_zip_stream_close(stream);
    return NULL;
  }
  return stream;
}

void px_zip_stream_close(PxZipStream *stream) {
  if (!stream)
    return;
  g_free(stream->shown);
  g_free(stream);
}

uint64_t px_zip_stream_used(const PxZipStream *stream) {
  uint64_t unused = stream->end - stream->at + stream->inflate.avail_in;
  return unused > stream->member->packed ? 0 : stream->member->packed - unused; /* behind damage, ISA-L counts on its own */
}

/* ---- the data */

static bool read_input(PxZipStream *stream, GError **error) {
  size_t n = (size_t)MIN(stream->end - stream->at, INPUT_SIZE);
  if (!px_zip_read_at(stream->fd, stream->at, stream->input, n, "a member", error))
    return false;
  stream->at += n;
  stream->inflate.next_in = stream->input;
  stream->inflate.avail_in = (uint32_t)n;
  return true;
}

/* Some bytes; none of them only when the data have ended. */
static bool inflate_some(PxZipStream *stream, uint8_t *to, size_t size, size_t *ret_len, GError **error) {
  struct inflate_state *inflate = &stream->inflate;
  for (;;) {
    if (inflate->avail_in == 0 && stream->at < stream->end && !read_input(stream, error))
      return false;
    uint32_t had_in = inflate->avail_in;
    uint32_t room = (uint32_t)MIN(size, (size_t)1 << 30);
    inflate->next_out = to;
    inflate->avail_out = room;
    if (isal_inflate(inflate) < 0)
      return refuse(stream, error, "is damaged");
    *ret_len = room - inflate->avail_out;
    stream->ended = inflate->block_state == ISAL_BLOCK_FINISH;
    if (*ret_len > 0 || stream->ended)
      return true;
    if (had_in == inflate->avail_in && stream->at == stream->end)
      return refuse(stream, error, "ends too early");
  }
}

static bool copy_some(PxZipStream *stream, uint8_t *to, size_t size, size_t *ret_len, GError **error) {
  *ret_len = (size_t)MIN(stream->end - stream->at, size);
  if (!px_zip_read_at(stream->fd, stream->at, to, *ret_len, "a member", error))
    return false;
  stream->at += *ret_len;
  stream->ended = stream->at == stream->end;
  return true;
}

static bool check_end(const PxZipStream *stream, GError **error) {
  const PxZipMember *member = stream->member;
  if (stream->at < stream->end || stream->inflate.avail_in + (uint32_t)stream->inflate.read_in_length / 8 > 0)
    return refuse(stream, error, "has more behind its end");
  if (stream->size != member->size)
    return refuse(stream, error, "unpacks to %" PRIu64 " bytes and not to the %" PRIu64 " that the directory says", stream->size, member->size);
  if (stream->crc != member->crc)
    return refuse(stream, error, "is damaged (its checksum is wrong)");
  return !(member->flags & FLAG_DESCRIPTOR) || check_descriptor(stream, error);
}

bool px_zip_stream_read(PxZipStream *stream, void *to, size_t size, size_t *ret_len, GError **error) {
  size_t done = 0;
  while (done < size && !stream->ended) {
    uint8_t *at = (uint8_t *)to + done;
    size_t len = 0;
    bool ok =
      stream->member->method == PX_ZIP_STORED ? copy_some(stream, at, size - done, &len, error) : inflate_some(stream, at, size - done, &len, error);
    if (!ok)
      return false;
    stream->size += len;
    if (stream->size > stream->member->size)
      return refuse(stream, error, "unpacks to more than the %" PRIu64 " bytes that the directory says", stream->member->size);
    stream->crc = crc32_gzip_refl(stream->crc, at, len);
    done += len;
    if (stream->ended && !check_end(stream, error))
      return false;
  }
  *ret_len = done;
  return true;
}
