/* SPDX-License-Identifier: Apache-2.0 */
#include "format/zip_private.h"
#include "rows.h"
#include "xlsx_suites.h"
#include "zip_make.h"

#include <string.h>
#include <unistd.h>

static const PxZipLimits usual = {.max_members = 100, .max_member_bytes = 1 << 20, .max_ratio = 100};

/* All members as "name=text;", or the complaint. */
static char *contents(const GByteArray *bytes, const PxZipLimits *limits) {
  int fd = test_file((const char *)bytes->data, bytes->len);
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) out = g_string_new(NULL);
  g_autoptr(PxZip) zip = px_zip_open(fd, limits, &error);
  for (size_t i = 0; zip && !error && i < px_zip_count(zip); i++) {
    const PxZipMember *member = px_zip_member(zip, i);
    g_autoptr(PxZipStream) stream = px_zip_stream_open(zip, member, &error);
    char piece[7];
    size_t len = stream ? sizeof piece : 0;
    g_string_append_printf(out, "%s=", member->name);
    while (len == sizeof piece && px_zip_stream_read(stream, piece, sizeof piece, &len, &error))
      g_string_append_len(out, piece, (gssize)len);
    if (stream)
      g_assert_cmpuint(px_zip_stream_used(stream), <=, member->packed);
    g_string_append_c(out, ';');
  }
  close(fd);
  if (error)
    g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  return g_strdup(error ? error->message : out->str);
}

static void check(const TestMember *members, size_t n, const char *want) {
  g_autoptr(GByteArray) bytes = test_zip(members, n);
  g_autofree char *got = contents(bytes, &usual);
  if (!strstr(got, want))
    g_assert_cmpstr(got, ==, want);
}

#define CHECK(want, ...)                                                                                                                             \
  G_STMT_START {                                                                                                                                     \
    const TestMember members[] = {__VA_ARGS__};                                                                                                      \
    check(members, G_N_ELEMENTS(members), want);                                                                                                     \
  }                                                                                                                                                  \
  G_STMT_END

static void members_are_read(void) {
  CHECK("a=hello;b/c.xml=hello hello hello hello;", {.name = "a", .text = "hello", .stored = true},
        {.name = "b/c.xml", .text = "hello hello hello hello"});
  CHECK("empty=;none=;", {.name = "empty", .text = ""}, {.name = "none", .text = "", .stored = true});
}

static void data_descriptors(void) {
  CHECK("a=hello;b=world;", {.name = "a", .text = "hello", .streamed = true}, {.name = "b", .text = "world", .streamed = true, .wide = true});
  CHECK("says other things behind its data", {.name = "a", .text = "hello", .streamed = true, .local_crc_xor = 1});
}

static void zip64(void) {
  const TestMember members[] = {{.name = "a", .text = "hello", .wide = true}, {.name = "b", .text = "world"}};
  g_autoptr(GByteArray) bytes = test_zip64(members, 2);
  g_autofree char *got = contents(bytes, &usual);
  g_assert_cmpstr(got, ==, "a=hello;b=world;");
}

static void checksum_is_checked(void) {
  CHECK("is damaged (its checksum is wrong)", {.name = "a", .text = "hello", .crc_xor = 1, .local_crc_xor = 1});
  CHECK("is damaged (its checksum is wrong)", {.name = "a", .text = "hello", .stored = true, .crc_xor = 1, .local_crc_xor = 1});
}

static void lies_are_found(void) {
  CHECK("says other things of itself", {.name = "a", .text = "hello", .local_crc_xor = 1});
  CHECK("says other things of itself", {.name = "a", .text = "hello", .local_size_off = 1});
  CHECK("says other things of itself", {.name = "a", .text = "hello", .local_name = "b"});
  CHECK("is not where the directory says", {.name = "a", .text = "hello", .local_name = "bb"});
  CHECK("unpacks to more than the 4 bytes", {.name = "a", .text = "hello", .size_off = -1, .local_size_off = -1});
  CHECK("unpacks to 5 bytes and not to the 6", {.name = "a", .text = "hello", .size_off = 1, .local_size_off = 1});
  CHECK("overlaps with the next one", {.name = "a", .text = "hello", .packed_off = 1}, {.name = "b", .text = "world"});
  CHECK("overlaps with the next one", {.name = "a", .text = "hello"}, {.name = "b", .text = "world", .start_off = -20});
  CHECK("overlaps with the next one", {.name = "a", .text = "hello", .start_off = 1000000});
}

static void names_stay_inside(void) {
  CHECK("leads out of the archive", {.name = "../a", .text = ""});
  CHECK("leads out of the archive", {.name = "a\\..\\b", .text = ""});
  CHECK("leads out of the archive", {.name = "a/..", .text = ""});
  CHECK("has an absolute path", {.name = "/etc/passwd", .text = ""});
  CHECK("has an absolute path", {.name = "C:\\x", .text = ""});
  CHECK("has no name", {.name = "", .text = ""});
  CHECK("a..b=;", {.name = "a..b", .text = ""});
  CHECK("two of its members are called \"A\"", {.name = "a", .text = ""}, {.name = "A", .text = ""});
}

static void encrypted(void) {
  CHECK("the zip archive is encrypted (its member \"a\"): save the workbook without a password", {.name = "a", .text = "hello", .flags = 1});
}

static void other_methods(void) {
  CHECK("is packed by method 9", {.name = "a", .text = "hello", .method = 9});
}

static void bombs(void) {
  g_autofree char *zeros = g_malloc0(2 << 20);
  memset(zeros, ' ', (2 << 20) - 1);
  CHECK("at most 1048576 are allowed", {.name = "a", .text = zeros});
  const PxZipLimits wide = {.max_members = 1, .max_member_bytes = UINT64_MAX, .max_ratio = 100};
  g_autofree char *huge = g_malloc0(PX_ZIP_RATIO_FLOOR + 10);
  memset(huge, ' ', PX_ZIP_RATIO_FLOOR + 9);
  const TestMember members[] = {{.name = "a", .text = huge}, {.name = "b", .text = ""}};
  g_autoptr(GByteArray) bytes = test_zip(members, 1);
  g_autofree char *got = contents(bytes, &wide);
  g_assert_nonnull(strstr(got, "unpacks to more than 100 times its size, as a zip bomb does"));
  g_autoptr(GByteArray) two = test_zip(members, 2);
  g_autofree char *many = contents(two, &wide);
  g_assert_nonnull(strstr(many, "at most 1 members are allowed"));
}

/* Whatever is cut off or changed: an answer, and never another text. */
static void every_cut_and_every_bit(void) {
  const TestMember members[] = {{.name = "a", .text = "hello hello hello"}, {.name = "b", .text = "world", .streamed = true}};
  g_autoptr(GByteArray) bytes = test_zip(members, 2);
  g_autofree char *whole = contents(bytes, &usual);
  for (guint i = 0; i < bytes->len; i++) {
    g_autoptr(GByteArray) cut = g_byte_array_new();
    g_byte_array_append(cut, bytes->data, i);
    g_autofree char *got = contents(cut, &usual);
    g_assert_nonnull(strstr(got, "broken zip archive"));
  }
  for (guint i = 0; i < bytes->len * 8; i++) {
    bytes->data[i / 8] ^= (guint8)(1 << i % 8);
    g_autofree char *got = contents(bytes, &usual);
    g_assert_true(strstr(got, "zip archive") || g_str_has_suffix(got, "=world;"));
    bytes->data[i / 8] ^= (guint8)(1 << i % 8);
  }
}

void add_zip_tests(void) {
  g_test_add_func("/format/zip/members_are_read", members_are_read);
  g_test_add_func("/format/zip/data_descriptors", data_descriptors);
  g_test_add_func("/format/zip/zip64", zip64);
  g_test_add_func("/format/zip/checksum_is_checked", checksum_is_checked);
  g_test_add_func("/format/zip/lies_are_found", lies_are_found);
  g_test_add_func("/format/zip/names_stay_inside", names_stay_inside);
  g_test_add_func("/format/zip/encrypted", encrypted);
  g_test_add_func("/format/zip/other_methods", other_methods);
  g_test_add_func("/format/zip/bombs", bombs);
  g_test_add_func("/format/zip/every_cut_and_every_bit", every_cut_and_every_bit);
}
