/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is that is no XLSX: people send what they have, and are to be told what to do with it. */
#include "format/xlsx_read_private.h"

#include <string.h>
#include <unistd.h>

#define HEAD 1024
#define SECTOR 512
#define DIRECTORY_BYTES 8192

static bool refuse(GError **error, const char *what) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "this is no XLSX workbook: %s", what);
  return false;
}

/* name in UTF-16LE somewhere in the bytes. */
static bool has_wide(const char *bytes, size_t len, const char *name) {
  char wide[64];
  size_t n = strlen(name);
  for (size_t i = 0; i < n; i++) {
    wide[2 * i] = name[i];
    wide[2 * i + 1] = '\0';
  }
  return memmem(bytes, len, wide, 2 * n) != NULL;
}

/* A compound file ([MS-CFB] 2.2) says what is in it in its directory, whose first sector the head names. */
static bool refuse_compound(int fd, const uint8_t *head, GError **error) {
  char directory[DIRECTORY_BYTES];
  uint64_t sector = (uint64_t)SECTOR << (px_zip_u16(head + 30) == 12 ? 3 : 0);
  ssize_t n = pread(fd, directory, sizeof directory, (off_t)((px_zip_u32(head + 48) + 1) * sector));
  size_t len = n > 0 ? (size_t)n : 0;
  if (has_wide(directory, len, "EncryptedPackage"))
    return refuse(error, "it is one that is protected by a password: open it with its password and save it without one");
  if (has_wide(directory, len, "Workbook") || has_wide(directory, len, "Book"))
    return refuse(error, "it is an XLS workbook of Excel 97-2003: open it in a spreadsheet program and save it as XLSX");
  return refuse(error, "it is an old Office document, or a workbook protected by a password: save it as XLSX, without a password");
}

static bool looks_like_text(const uint8_t *head, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (head[i] < 9)
      return false;
  return true;
}

bool px_xlsx_check_kind(int fd, GError **error) {
  static const struct {
    const char *mark;
    const char *what;
  } known[] = {
    {"%PDF", "it is a PDF document: the table must come as XLSX or CSV"},
    {"{\\rtf", "it is an RTF document: the table must come as XLSX or CSV"},
    {"\x1F\x8B", "it is packed with gzip: unpack it first"},
    {"Rar!", "it is a RAR archive: unpack it first"},
    {"7z\xBC\xAF", "it is a 7-Zip archive: unpack it first"},
    {"\xFF\xFE", "it is a text in UTF-16: import it as CSV"},
    {"<?xml", "it is an XML document (an XML spreadsheet of 2003 perhaps): open it in a spreadsheet program and save it as XLSX"},
  };
  uint8_t head[HEAD + 1] = {0};
  ssize_t n = pread(fd, head, HEAD, 0);
  size_t len = n > 0 ? (size_t)n : 0;
  if (len == 0)
    return refuse(error, "it is empty");
  if (memcmp(head, "PK\3\4", 4) == 0)
    return true;
  if (memcmp(head, "PK\5\6", 4) == 0)
    return refuse(error, "it is an empty zip archive");
  if (memcmp(head, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8) == 0)
    return refuse_compound(fd, head, error);
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (len >= strlen(known[i].mark) && memcmp(head, known[i].mark, strlen(known[i].mark)) == 0)
      return refuse(error, known[i].what);
  g_autofree char *lower = g_ascii_strdown((const char *)head, (gssize)strnlen((const char *)head, len));
  if (strstr(lower, "<html") || strstr(lower, "<table") || strstr(lower, "<!doctype html"))
    return refuse(error, "it is a web page with the name of a workbook: open it in a spreadsheet program and save it as XLSX");
  if (looks_like_text(head, len))
    return refuse(error, "it is a text: import it with a pattern of format csv, or save it as XLSX");
  return refuse(error, "it is no zip archive, which every XLSX is: it is damaged, or something else");
}
