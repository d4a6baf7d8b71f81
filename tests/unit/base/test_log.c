/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "suites.h"

#define AT G_GINT64_CONSTANT(1795424227875000)

static void text_has_what_is_known(void) {
  const PxLogSubject subject = {.task = "in", .file = "a b.csv", .job = 12};
  g_autofree char *full = px_log_line(PX_LOG_TEXT, PX_LOG_WARNING, AT, "worker 2", &subject, "one\ntwo \x1b[1m");
  g_assert_cmpstr(full, ==, "2026-11-23T08:57:07.875Z warning worker=\"worker 2\" job=12 task=in file=\"a b.csv\": one two \\x1b[1m");
  g_autofree char *bare = px_log_line(PX_LOG_TEXT, PX_LOG_INFO, AT, NULL, NULL, "ready");
  g_assert_cmpstr(bare, ==, "2026-11-23T08:57:07.875Z info: ready");
}

static void json_has_every_key(void) {
  const PxLogSubject subject = {.file = "\"\xff.csv"};
  g_autofree char *line = px_log_line(PX_LOG_JSON, PX_LOG_ERROR, AT, "worker", &subject, "a\nb");
  g_assert_cmpstr(line, ==,
                  "{\"time\":\"2026-11-23T08:57:07.875Z\",\"level\":\"error\",\"worker\":\"worker\",\"job\":null,\"task\":null,"
                  "\"file\":\"\\\"\xef\xbf\xbd.csv\",\"text\":\"a\\nb\"}");
}

void add_log_tests(void) {
  g_test_add_func("/base/log/text_has_what_is_known", text_has_what_is_known);
  g_test_add_func("/base/log/json_has_every_key", json_has_every_key);
}
