/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the filestore share. */
#include "storage/filestore.h"

struct PxFilestore {
  char *directory;
  int fd;              /* -1: a dry run, and the directory is not there */
  char *dry_directory; /* where new blobs of a dry run go; NULL: no dry run */
  int dry_fd;          /* -1 */
};

bool px_filestore_fail(GError **error, PxError code, const char *directory, const char *doing);
