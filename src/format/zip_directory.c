/* SPDX-License-Identifier: Apache-2.0 */
/* The end record, the central directory, and what may not be in it. */
#include "format/zip_private.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define END_SIZE 22
#define LOCATOR_SIZE 20
#define END64_SIZE 56
#define ENTRY_SIZE 46
#define LOCAL_SIZE 30
#define MAX_COMMENT 65535
#define MAX_DIRECTORY ((uint64_t)16 * 1024 * 1024)

#define FLAG_ENCRYPTED 0x0001
#define FLAG_STRONG 0x0040
#define FLAG_MASKED 0x2000

struct PxZip {
  int fd;
  PxZipLimits limits;
  PxZipMember *members;
  size_t n;
  GHashTable *by_name; /* lower-case name -> PxZipMember */
};

/* What the end of the archive says about its directory. */
typedef struct {
  uint64_t position;  /* of the end record */
  uint64_t directory; /* where the directory begins */
  uint64_t size;
  uint64_t count;
  uint64_t boundary; /* where it must end */
} End;

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "broken zip archive: %s: get the file again from whoever made it, or save it anew", what);
  return false;
}

bool px_zip_read_at(int fd, uint64_t offset, void *to, size_t size, const char *what, GError **error) {
  for (size_t done = 0; done < size;) {
    ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
    if (n == 0)
      return refuse(error, "it ends inside %s", what);
    if (n < 0 && errno != EINTR) {
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read the file: %s", g_strerror(errno));
      return false;
    }
    done += n > 0 ? (size_t)n : 0;
  }
  return true;
}

bool px_zip_zip64(const uint8_t *extra, size_t len, uint64_t **wanted, size_t n) {
  while (len >= 4) {
    size_t field = px_zip_u16(extra + 2);
    if (field > len - 4)
      return false;
    if (px_zip_u16(extra) == 1) {
      if (field < n * 8)
        return false;
      for (size_t i = 0; i < n; i++)
        *wanted[i] = px_zip_u64(extra + 4 + i * 8);
      return true;
    }
    extra += 4 + field;
    len -= 4 + field;
  }
  return n == 0;
}

/* ---- the end */

/* The record that says where the directory is stands last, with a comment of any length behind. */
static bool find_end(int fd, uint64_t file_size, uint8_t *ret_record, End *end, GError **error) {
  size_t tail = (size_t)MIN(file_size, END_SIZE + MAX_COMMENT);
  g_autofree uint8_t *bytes = g_malloc(tail);
  if (!px_zip_read_at(fd, file_size - tail, bytes, tail, "its end", error))
    return false;
  for (size_t at = tail < END_SIZE ? 0 : tail - END_SIZE + 1; at-- > 0;) {
    const uint8_t *p = bytes + at;
    if (px_zip_u32(p) == 0x06054B50 && px_zip_u16(p + 20) == tail - at - END_SIZE) {
      memcpy(ret_record, p, END_SIZE);
      end->position = end->boundary = file_size - tail + at;
      return true;
    }
  }
  return refuse(error, "its directory is missing: it was cut off, or is not a zip archive at all");
}

static bool read_end64(int fd, End *end, const uint8_t *locator, GError **error) {
  uint8_t record[END64_SIZE];
  uint64_t at = px_zip_u64(locator + 8);
  if (px_zip_u32(locator + 4) != 0 || px_zip_u32(locator + 16) > 1)
    return refuse(error, "it is one of several parts");
  if (end->position < LOCATOR_SIZE + END64_SIZE || at > end->position - LOCATOR_SIZE - END64_SIZE)
    return refuse(error, "the zip64 end record is not where it should be");
  if (!px_zip_read_at(fd, at, record, sizeof record, "the zip64 end record", error))
    return false;
  uint64_t length = px_zip_u64(record + 4);
  if (px_zip_u32(record) != 0x06064B50 || length != end->position - LOCATOR_SIZE - at - 12)
    return refuse(error, "the zip64 end record is not where it should be");
  if (px_zip_u32(record + 16) != 0 || px_zip_u32(record + 20) != 0 || px_zip_u64(record + 24) != px_zip_u64(record + 32))
    return refuse(error, "it is one of several parts");
  const struct {
    uint64_t small, large, ones;
  } pairs[] = {{end->count, px_zip_u64(record + 32), 0xFFFF},
               {end->size, px_zip_u64(record + 40), 0xFFFFFFFF},
               {end->directory, px_zip_u64(record + 48), 0xFFFFFFFF}};
  for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
    if (pairs[i].small != pairs[i].large && pairs[i].small != pairs[i].ones)
      return refuse(error, "its two end records contradict each other");
  end->count = pairs[0].large;
  end->size = pairs[1].large;
  end->directory = pairs[2].large;
  end->boundary = at;
  return true;
}

static bool read_end(int fd, End *ret_end, GError **error) {
  struct stat status;
  uint8_t record[END_SIZE] = {0};
  uint8_t locator[LOCATOR_SIZE];
  End end = {0};
  if (fstat(fd, &status) != 0)
    return refuse(error, "its size is not known");
  if (!find_end(fd, (uint64_t)status.st_size, record, &end, error))
    return false;
  if (px_zip_u16(record + 4) != px_zip_u16(record + 6) || px_zip_u16(record + 8) != px_zip_u16(record + 10))
    return refuse(error, "it is one of several parts");
  end.count = px_zip_u16(record + 10);
  end.size = px_zip_u32(record + 12);
  end.directory = px_zip_u32(record + 16);
  if (end.position >= LOCATOR_SIZE) {
    if (!px_zip_read_at(fd, end.position - LOCATOR_SIZE, locator, sizeof locator, "its end", error))
      return false;
    if (px_zip_u32(locator) == 0x07064B50 && !read_end64(fd, &end, locator, error))
      return false;
  }
  if (end.directory > end.boundary || end.size != end.boundary - end.directory)
    return refuse(error, "its directory is not where its end says");
  *ret_end = end;
  return true;
}

/* ---- the directory */

/* A name is only ever compared, but one that tries to leave the archive says what the archive is for. */
static const char *name_fault(const char *name, size_t len) {
  if (len == 0)
    return "has no name";
  if (memchr(name, 0, len))
    return "has a NUL in its name";
  if (name[0] == '/' || name[0] == '\\' || (len > 1 && name[1] == ':'))
    return "has an absolute path for a name";
  for (size_t from = 0; from <= len;) {
    size_t to = from;
    while (to < len && name[to] != '/' && name[to] != '\\')
      to++;
    if (to - from == 2 && name[from] == '.' && name[from + 1] == '.')
      return "has a name that leads out of the archive";
    from = to + 1;
  }
  return NULL;
}

static bool take_entry(const uint8_t *entry, PxZipMember *member, GError **error) {
  uint16_t name_len = px_zip_u16(entry + 28);
  uint16_t extra_len = px_zip_u16(entry + 30);
  const uint8_t *extra = entry + ENTRY_SIZE + name_len;
  member->flags = px_zip_u16(entry + 8);
  member->method = px_zip_u16(entry + 10);
  member->crc = px_zip_u32(entry + 16);
  member->packed = px_zip_u32(entry + 20);
  member->size = px_zip_u32(entry + 24);
  member->start = px_zip_u32(entry + 42);
  member->raw_len = name_len;
  member->raw_name = g_memdup2(entry + ENTRY_SIZE, name_len);
  member->name = g_utf8_make_valid(member->raw_name ? member->raw_name : "", name_len);
  uint64_t *wanted[3];
  size_t n = 0;
  if (member->size == 0xFFFFFFFF)
    wanted[n++] = &member->size;
  if (member->packed == 0xFFFFFFFF)
    wanted[n++] = &member->packed;
  if (member->start == 0xFFFFFFFF)
    wanted[n++] = &member->start;
  g_autofree char *shown = px_text_quote(member->name, strlen(member->name));
  if (n && !px_zip_zip64(extra, extra_len, wanted, n))
    return refuse(error, "the sizes of its member %s are missing", shown);
  const char *fault = name_fault(member->raw_name, name_len);
  if (fault)
    return refuse(error, "its member %s %s", shown, fault);
  if (member->flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED)) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the zip archive is encrypted (its member %s): save the workbook without a password", shown);
    return false;
  }
  return true;
}

static bool read_entries(PxZip *zip, const End *end, GError **error) {
  g_autofree uint8_t *bytes = g_malloc(end->size + 1);
  if (!px_zip_read_at(zip->fd, end->directory, bytes, end->size, "its directory", error))
    return false;
  size_t at = 0;
  while (zip->n < end->count) {
    size_t left = end->size - at;
    if (left < ENTRY_SIZE || px_zip_u32(bytes + at) != 0x02014B50)
      return refuse(error, "entry %zu of its directory is none", zip->n + 1);
    size_t len = (size_t)ENTRY_SIZE + px_zip_u16(bytes + at + 28) + px_zip_u16(bytes + at + 30) + px_zip_u16(bytes + at + 32);
    if (len > left)
      return refuse(error, "entry %zu of its directory is cut off", zip->n + 1);
    if (!take_entry(bytes + at, &zip->members[zip->n++], error))
      return false;
    at += len;
  }
  return at == end->size || refuse(error, "its directory is longer than its %zu members", zip->n);
}

static int by_start(const void *a, const void *b) {
  const PxZipMember *left = *(PxZipMember *const *)a;
  const PxZipMember *right = *(PxZipMember *const *)b;
  return left->start < right->start ? -1 : left->start > right->start;
}

/* No byte of the archive belongs to two members. */
static bool check_places(PxZip *zip, const End *end, GError **error) {
  g_autofree PxZipMember **order = g_new(PxZipMember *, zip->n + 1);
  for (size_t i = 0; i < zip->n; i++)
    order[i] = &zip->members[i];
  qsort(order, zip->n, sizeof *order, by_start);
  for (size_t i = 0; i < zip->n; i++) {
    PxZipMember *member = order[i];
    g_autofree char *shown = px_text_quote(member->name, strlen(member->name));
    member->next = i + 1 < zip->n ? order[i + 1]->start : end->directory;
    uint64_t least = (uint64_t)LOCAL_SIZE + member->raw_len;
    if (member->start > end->directory || member->next - member->start < least || member->packed > member->next - member->start - least)
      return refuse(error, "its member %s overlaps with the next one", shown);
  }
  return true;
}

static bool index_names(PxZip *zip, GError **error) {
  for (size_t i = 0; i < zip->n; i++) {
    PxZipMember *member = &zip->members[i];
    if (!g_hash_table_insert(zip->by_name, g_ascii_strdown(member->name, -1), member)) {
      g_autofree char *shown = px_text_quote(member->name, strlen(member->name));
      return refuse(error, "two of its members are called %s", shown);
    }
  }
  return true;
}

PxZip *px_zip_open(int fd, const PxZipLimits *limits, GError **error) {
  End end = {0};
  if (!read_end(fd, &end, error))
    return NULL;
  if (end.count > limits->max_members || end.size > MAX_DIRECTORY) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "the zip archive has %" PRIu64 " members in a directory of %" PRIu64 " bytes, at most %" PRIu64
                " members are allowed: raise members of the pattern's limits when it is meant so",
                end.count, end.size, limits->max_members);
    return NULL;
  }
  if (end.count > end.size / ENTRY_SIZE) {
    refuse(error, "its directory is too short for %" PRIu64 " members", end.count);
    return NULL;
  }
  PxZip *zip = g_new0(PxZip, 1);
  zip->fd = fd;
  zip->limits = *limits;
  zip->members = g_new0(PxZipMember, end.count + 1);
  zip->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (!read_entries(zip, &end, error) || !check_places(zip, &end, error) || !index_names(zip, error)) {
    px_zip_close(zip);
    return NULL;
  }
  return zip;
}

void px_zip_close(PxZip *zip) {
  if (!zip)
    return;
  g_hash_table_unref(zip->by_name);
  for (size_t i = 0; i < zip->n; i++) {
    g_free(zip->members[i].name);
    g_free(zip->members[i].raw_name);
  }
  g_free(zip->members);
  g_free(zip);
}

size_t px_zip_count(const PxZip *zip) {
  return zip->n;
}

const PxZipMember *px_zip_member(const PxZip *zip, size_t i) {
  return &zip->members[i];
}

const PxZipMember *px_zip_find(const PxZip *zip, const char *name) {
  g_autofree char *lower = g_ascii_strdown(name, -1);
  return g_hash_table_lookup(zip->by_name, lower);
}

int px_zip_fd(const PxZip *zip) {
  return zip->fd;
}

const PxZipLimits *px_zip_limits(const PxZip *zip) {
  return &zip->limits;
}
