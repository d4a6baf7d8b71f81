/* SPDX-License-Identifier: Apache-2.0 */
#include "format/pack.h"

#include "base/file.h"
#include "format/writer_driver.h"
#include "format/zip_write.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER ((size_t)128 * 1024)
#define LARGE ((off_t)3 * 1024 * 1024 * 1024)

static const char *const suffixes[] = {[PX_PACK_NONE] = "", [PX_PACK_GZIP] = ".gz", [PX_PACK_ZIP] = ".zip"};

const char *px_pack_suffix(PxPacking packing) {
  return suffixes[packing];
}

PxPacking px_pack_of_name(const char *name) {
  size_t len = strlen(name);
  for (int packing = PX_PACK_GZIP; packing <= PX_PACK_ZIP; packing++) {
    size_t n = strlen(suffixes[packing]);
    if (len > n && g_ascii_strcasecmp(name + len - n, suffixes[packing]) == 0)
      return (PxPacking)packing;
  }
  return PX_PACK_NONE;
}

/* The next bytes of from; -1 with an error. */
static ssize_t next(int from, void *buffer, GError **error) {
  ssize_t n;
  do
    n = read(from, buffer, BUFFER);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read what is to be compressed: %s", g_strerror(errno));
  return n;
}

static bool pack_zip(int from, const char *name, int to, GError **error) {
  g_autofree char *buffer = g_malloc(BUFFER);
  g_autoptr(PxZipWriter) zip = px_zip_writer_new(to);
  struct stat status;
  bool large = fstat(from, &status) == 0 && status.st_size >= LARGE;
  if (!px_zip_writer_begin(zip, name, large, error))
    return false;
  ssize_t n;
  while ((n = next(from, buffer, error)) > 0)
    if (!px_zip_writer_add(zip, buffer, (size_t)n, error))
      return false;
  return n == 0 && px_zip_writer_end(zip, error) && px_zip_writer_finish(zip, error);
}

typedef struct {
  struct isal_zstream deflate;
  uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
  uint8_t in[BUFFER], out[BUFFER];
} Gzip;

/* Writes what comes of the bytes that the stream has. */
static bool drain(Gzip *gzip, int to, GError **error) {
  do {
    gzip->deflate.next_out = gzip->out;
    gzip->deflate.avail_out = (uint32_t)sizeof(gzip->out);
    if (isal_deflate(&gzip->deflate) != COMP_OK) {
      g_set_error_literal(error, PX_ERROR, PX_ERROR_INTERNAL, "the compression has failed");
      return false;
    }
    if (!px_write_all(to, gzip->out, sizeof(gzip->out) - gzip->deflate.avail_out, "the file", error))
      return false;
  } while (gzip->deflate.avail_out == 0);
  return true;
}

static bool pack_gzip(int from, int to, GError **error) {
  g_autofree Gzip *gzip = g_new(Gzip, 1);
  isal_deflate_init(&gzip->deflate);
  gzip->deflate.level = 1;
  gzip->deflate.level_buf = gzip->level_buffer;
  gzip->deflate.level_buf_size = sizeof(gzip->level_buffer);
  gzip->deflate.gzip_flag = IGZIP_GZIP;
  ssize_t n;
  do {
    n = next(from, gzip->in, error);
    if (n < 0)
      return false;
    gzip->deflate.next_in = gzip->in;
    gzip->deflate.avail_in = (uint32_t)n;
    gzip->deflate.end_of_stream = n == 0;
    if (!drain(gzip, to, error))
      return false;
  } while (n > 0);
  return true;
}

bool px_pack(PxPacking packing, int from, const char *name, int to, GError **error) {
  if (lseek(from, 0, SEEK_SET) < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "cannot rewind what is to be compressed: %s", g_strerror(errno));
    return false;
  }
  return packing == PX_PACK_ZIP ? pack_zip(from, name, to, error) : pack_gzip(from, to, error);
}
