/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Members of a zip archive, for the files of format/. The central directory is the truth; every other statement of the archive must agree
 * with it. Nothing is ever unpacked to a path. Source of the layout: PKWARE APPNOTE.TXT 6.3.9.
 */
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looked at before anything is inflated. */
typedef struct {
  uint64_t max_members;
  uint64_t max_member_bytes; /* inflated */
  uint64_t max_ratio;        /* inflated bytes a packed byte, of a member of more than PX_ZIP_RATIO_FLOOR inflated bytes */
} PxZipLimits;

#define PX_ZIP_RATIO_FLOOR ((uint64_t)64 * 1024 * 1024)

typedef enum { PX_ZIP_STORED = 0, PX_ZIP_DEFLATED = 8 } PxZipMethod;

typedef struct {
  char *name;     /* valid UTF-8, for messages and for px_zip_find() */
  char *raw_name; /* as the archive has it, raw_len bytes */
  uint16_t raw_len;
  uint16_t flags;
  uint16_t method;
  uint32_t crc;
  uint64_t packed; /* bytes in the archive */
  uint64_t size;   /* bytes inflated */
  uint64_t start;  /* of its local header */
  uint64_t next;   /* where the next thing of the archive begins: its data end before */
} PxZipMember;

typedef struct PxZip PxZip;

/* Reads the central directory of the archive at fd, which stays the caller's. PX_ERROR_REFUSED: it is no archive, or one that contradicts
 * itself, is encrypted, has members with paths that leave it, has too many. */
PxZip *px_zip_open(int fd, const PxZipLimits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_zip_close(PxZip *zip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxZip, px_zip_close)

size_t px_zip_count(const PxZip *zip);
const PxZipMember *px_zip_member(const PxZip *zip, size_t i);
/* The member of this name; as in OPC (ECMA-376 part 2, 6.2.2.3) the case of ASCII letters is none. NULL: there is none. */
const PxZipMember *px_zip_find(const PxZip *zip, const char *name);
int px_zip_fd(const PxZip *zip);

/* ---- reading a member */

typedef struct PxZipStream PxZipStream;

/* member and zip must outlive the stream. PX_ERROR_REFUSED: a limit, a method other than the two, a local header that says otherwise. */
PxZipStream *px_zip_stream_open(const PxZip *zip, const PxZipMember *member, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_zip_stream_close(PxZipStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxZipStream, px_zip_stream_close)
/* Up to size inflated bytes, fewer only at the end. *ret_len 0: the end, and size and checksum were right. */
bool px_zip_stream_read(PxZipStream *stream, void *to, size_t size, size_t *ret_len, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Packed bytes that have been used. */
uint64_t px_zip_stream_used(const PxZipStream *stream);

/* ---- what both files of zip_* need */

const PxZipLimits *px_zip_limits(const PxZip *zip);
/* Reads all of size bytes at offset. what: for the message when they are not there, which is PX_ERROR_REFUSED. */
bool px_zip_read_at(int fd, uint64_t offset, void *to, size_t size, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

static inline uint16_t px_zip_u16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t px_zip_u32(const uint8_t *p) {
  return (uint32_t)px_zip_u16(p) | (uint32_t)px_zip_u16(p + 2) << 16;
}

static inline uint64_t px_zip_u64(const uint8_t *p) {
  return (uint64_t)px_zip_u32(p) | (uint64_t)px_zip_u32(p + 4) << 32;
}

/* The values of a zip64 extra field that stand for those that are all ones, in the order of wanted. false: it is not there or too short. */
bool px_zip_zip64(const uint8_t *extra, size_t len, uint64_t **wanted, size_t n);
