/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A zip archive written as a stream, for the files of format/: nothing is ever gone back to, so it may be a pipe. Source of the layout: PKWARE
 * APPNOTE.TXT 6.3.9.
 */
#include "base/error.h"
#include "format/zip_private.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct PxZipWriter PxZipWriter;

/* Bytes go to fd from its present position on; the fd stays the caller's. */
PxZipWriter *px_zip_writer_new(int fd);
void px_zip_writer_free(PxZipWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxZipWriter, px_zip_writer_free)

/* A member, deflated: begin, its bytes piece by piece, end. large: it may have 4 GiB or more, which some readers want to know from its
 * first byte on. PX_ERROR_TRANSIENT: the disk is full. */
bool px_zip_writer_begin(PxZipWriter *writer, const char *name, bool large, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_zip_writer_add(PxZipWriter *writer, const void *bytes, size_t len, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_zip_writer_end(PxZipWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A member of another archive as it stands there, byte for byte. PX_ERROR_REFUSED: it is not where its directory says. */
bool px_zip_writer_copy(PxZipWriter *writer, const PxZip *zip, const PxZipMember *member, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The directory. After it the bytes are a whole archive. */
bool px_zip_writer_finish(PxZipWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
