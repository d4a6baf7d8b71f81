/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of listings as servers write them. */
#include "test_storage.h"

#include "storage/ftp_private.h"

#include <sys/stat.h>

#define NOW (INT64_C(1795400000) * G_USEC_PER_SEC) /* 2026-11-23 02:13:20 */
#define MINUTE INT64_C(60000000000)
#define DAY (24 * 60 * MINUTE)

typedef struct {
  const char *line;
  const char *name; /* NULL: it is no entry */
  mode_t kind;
  uint64_t size;
  int64_t mtime; /* seconds */
  int64_t precision;
} Case;

static void assert_entry(const Case *c, bool parsed, const PxFtpEntry *entry) {
  g_test_message("%s", c->line);
  g_assert_cmpint(parsed, ==, c->name != NULL);
  if (!c->name)
    return;
  g_assert_cmpstr(entry->name, ==, c->name);
  g_assert_cmpuint(entry->mode, ==, c->kind);
  g_assert_cmpuint(entry->size, ==, c->size);
  g_assert_cmpint(entry->mtime_ns, ==, c->mtime * 1000000000);
  g_assert_cmpint(entry->mtime_precision_ns, ==, c->precision);
}

static void lists(void) {
  static const Case cases[] = {
    {"-rw-r--r--    1 0        0            1234 Nov 22 14:58 a.csv", "a.csv", S_IFREG, 1234, 1795359480, MINUTE},
    {"-rw-r--r-- 1 domain users staff 7 Jan  5  2024 with  two blanks ", "with  two blanks ", S_IFREG, 7, 1704412800, DAY},
    {"-rw-r--r-- 1 owner 7 Dec 31 23:59 no group", "no group", S_IFREG, 7, 1767225540, MINUTE}, /* of last year */
    {"-rw-r--r-- 1 o g 7 Nov 23 20:00 ahead of us", "ahead of us", S_IFREG, 7, 1795464000, MINUTE},
    {"-rw-r--r-- 1 o g 7 Feb 29 2024 leap", "leap", S_IFREG, 7, 1709164800, DAY},
    {"-rw-r--r-- 1 o g 7 Jan 1 1 2024 3 Nov 22 14:58 5 Nov", NULL, 0, 0, 0, 0},
    {"drwxr-xr-x+ 2 0 0 4096 Nov 22 14:58 in", "in", S_IFDIR, 4096, 1795359480, MINUTE},
    {"lrwxrwxrwx 1 0 0 4 Nov 22 14:58 link -> a -> b", "link", S_IFLNK, 4, 1795359480, MINUTE},
    {"prw-r--r-- 1 0 0 0 Nov 22 14:58 fifo", "fifo", S_IFIFO, 0, 1795359480, MINUTE},
    {"crw-r--r-- 1 0 0 1, 3 Nov 22 14:58 null", "null", S_IFCHR, 3, 1795359480, MINUTE},
    {"11-22-26  02:58PM                 1234 a b.csv", "a b.csv", S_IFREG, 1234, 1795359480, MINUTE},
    {"11-22-2026  12:05AM       <DIR>          in", "in", S_IFDIR, 0, 1795305900, MINUTE},
    {"11-22-26  14:58             1234 a.csv", "a.csv", S_IFREG, 1234, 1795359480, MINUTE},
    {"-rw-r--r-- 1 0 0 99999999999999999999 Nov 22 14:58 a", NULL, 0, 0, 0, 0},
    {"-rw-r--r-- 1 0 0 7 Nov 31 2024 a", NULL, 0, 0, 0, 0},
    {"-rw-r--r-- 1 0 0 7 Nov 22 14:58", NULL, 0, 0, 0, 0},
    {"-rw-r--r-- 1 0 0 7 Nov 22 14:58 ", NULL, 0, 0, 0, 0},
    {"total 12", NULL, 0, 0, 0, 0},
    {"", NULL, 0, 0, 0, 0},
    {"-", NULL, 0, 0, 0, 0},
    {"1", NULL, 0, 0, 0, 0},
    {"11-22-26", NULL, 0, 0, 0, 0},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *line = g_strdup(cases[i].line);
    PxFtpEntry entry;
    assert_entry(&cases[i], px_ftp_parse_list(line, NOW, &entry), &entry);
  }
}

static void facts(void) {
  static const Case cases[] = {
    {"type=file;size=1234;modify=20261122145800;perm=r; a.csv", "a.csv", S_IFREG, 1234, 1795359480, INT64_C(2000000000)},
    {"Type=File;Size=1;Modify=20261122145800.000;UNIX.mode=0644;  leading blank; and =", " leading blank; and =", S_IFREG, 1, 1795359480,
     INT64_C(2000000000)},
    {"type=dir;modify=20261122145800; in", "in", S_IFDIR, 0, 1795359480, INT64_C(2000000000)},
    {"type=OS.unix=slink:/etc;size=3; link", "link", S_IFLNK, 3, 0, 0},
    {"type=OS.unix=symlink;size=3; link", "link", S_IFLNK, 3, 0, 0},
    {"type=OS.unix=chr-1/3; null", "null", S_IFCHR, 0, 0, 0},
    {"size=x;modify=2026; a", "a", 0, 0, 0, 0},
    {" bare", "bare", 0, 0, 0, 0},
    {"type=file;size=1", NULL, 0, 0, 0, 0},
    {"no facts at all", NULL, 0, 0, 0, 0},
    {"type; a", NULL, 0, 0, 0, 0},
    {"type=file; ", NULL, 0, 0, 0, 0},
    {"", NULL, 0, 0, 0, 0},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *line = g_strdup(cases[i].line);
    PxFtpEntry entry;
    assert_entry(&cases[i], px_ftp_parse_facts(line, &entry), &entry);
  }
}

static void quoted(void) {
  static const char *const cases[][2] = {
    {"257 \"/a b\" is the current directory", "/a b"},
    {"257 \"/say \"\"hi\"\"/\" there", "/say \"hi\""},
    {"257 \"/\"", ""},
    {"257 \"/never ends", NULL},
    {"257 nothing", NULL},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = px_ftp_quoted(cases[i][0]);
    g_assert_cmpstr(path, ==, cases[i][1]);
  }
}

void add_ftp_list_tests(void) {
  g_test_add_func("/storage/ftp_list/list", lists);
  g_test_add_func("/storage/ftp_list/facts", facts);
  g_test_add_func("/storage/ftp_list/quoted_path", quoted);
}
