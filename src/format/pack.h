/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files in archives: one file into a .gz or .zip, and the files that are in one. */
#include "format/format.h"

typedef enum { PX_PACK_NONE, PX_PACK_GZIP, PX_PACK_ZIP } PxPacking;

/* ".gz", ".zip"; "": none. */
const char *px_pack_suffix(PxPacking packing);
/* What a file is by the end of its name, in any case: PX_PACK_NONE for all but .gz and .zip. */
PxPacking px_pack_of_name(const char *name);
/* All that is in the file at from goes to to; name: of the member of a .zip. The same bytes make the same archive. PX_ERROR_TRANSIENT. */
bool px_pack(PxPacking packing, int from, const char *name, int to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- unpacking: in a process of its own, which has the archive, the output and a pipe, as the parser has (format/parser.h).
 *
 * Any program that calls px_unpack() must hand itself over when it is started as the unpacker:
 *   if (argc > 1 && strcmp(argv[1], "unpacker") == 0) return px_unpacker_main(argc, argv);
 */

typedef struct {
  char *name;    /* without folders */
  uint64_t size; /* of its bytes in the output, behind those of the members before */
} PxUnpacked;
/* An empty GArray of PxUnpacked, which frees their names. */
GArray *px_unpacked_new(void);

/* Writes the bytes of all members to out, from its beginning: a GArray of PxUnpacked, which unref frees. Folders and hidden files are left out.
 * name: of the archive; a .gz has one member, of that name without .gz. limits: max_member_bytes of all members together, max_ratio.
 * PX_ERROR_REFUSED: it is no archive, damaged, encrypted, goes over a limit, has another archive in it, a name that no file can have, or no file;
 * PX_ERROR_TRANSIENT: the disk is full. */
GArray *px_unpack(int archive, const char *name, const PxFormatOptions *limits, int out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The unpacker's side: what the hidden command runs; argv[1] is "unpacker". The exit status. */
int px_unpacker_main(int argc, char **argv);
