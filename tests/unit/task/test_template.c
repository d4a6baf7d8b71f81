/* SPDX-License-Identifier: Apache-2.0 */
#include "task/task.h"

typedef struct {
  const char *text, *expected;
} Case;

static const Case fetched[] = {
  {"${obj.name}", "orders.v2.csv"},
  {"${obj.stem}-seen${obj.suffix}", "orders.v2-seen.csv"},
  {"${obj.id}-${task.name}", "7-orders-in"},
  {"${obj.checksum}${ obj.suffix }", "abc.csv"},
  {"${obj.create_date}", "20260701T143005"},
  {"${obj.create_date:%Y}/", NULL},
  {"${obj.create_date:%Y}", "2026"},
  {"${date:%d.%m.}", "01.01."},
  {"$5 {x} $$", "$5 {x} $$"},
};

static PxTemplateValues values(GTimeZone *paris) {
  return (PxTemplateValues){.name = "orders.v2.csv",
                            .id = 7,
                            .checksum = "abc",
                            .created = INT64_C(1782909005000000), /* 2026-07-01 12:30:05 UTC */
                            .task = "orders-in",
                            .now = INT64_C(1798758000000000), /* 2026-12-31 23:00:00 UTC, the next year in Paris */
                            .timezone = paris};
}

static void renders(gconstpointer data) {
  const Case *c = data;
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  g_autoptr(GError) error = NULL;
  g_autoptr(PxTemplate) template = px_template_parse(c->text, PX_TEMPLATE_FETCHED, &error);
  if (!c->expected) {
    g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
    return;
  }
  g_assert_no_error(error);
  PxTemplateValues all = values(paris);
  g_autofree char *name = px_template_render(template, &all, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(name, ==, c->expected);
}

static void name_without_suffix_or_with_a_leading_point(void) {
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(PxTemplate) template = px_template_parse("${obj.stem}!${obj.suffix}", PX_TEMPLATE_FETCHED, NULL);
  PxTemplateValues all = values(utc);
  all.name = "README";
  g_autofree char *plain = px_template_render(template, &all, NULL);
  g_assert_cmpstr(plain, ==, "README!");
  all.name = ".profile";
  g_autofree char *hidden = px_template_render(template, &all, NULL);
  g_assert_cmpstr(hidden, ==, ".profile!");
}

static void wrong_ones_are_told(void) {
  static const char *const wrong[] = {"",     "${obj.suffix}",  "${obj.nmae}",   "${date.year}", "${HOME}", "${task.name",
                                      "a/b",  "${obj.name:%Y}", "${date:%Y/%m}", "${}",          "..",      ".pattimpex-${date}",
                                      "a\nb", "${date:}"};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    PxTemplate *template = px_template_parse(wrong[i], PX_TEMPLATE_FETCHED, &error);
    g_assert_null(template);
    g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  }
}

static void exports_have_no_file_yet(void) {
  g_autoptr(GError) error = NULL;
  g_assert_null(px_template_parse("${obj.name}", PX_TEMPLATE_EXPORTED, &error));
  g_assert_nonnull(strstr(error->message, "${task.name}"));
}

static void result_is_never_a_wrong_name(void) {
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GError) error = NULL;
  g_autoptr(PxTemplate) template = px_template_parse("${task.name}.csv", PX_TEMPLATE_EXPORTED, NULL);
  PxTemplateValues all = {.task = "a/b", .timezone = utc};
  g_assert_null(px_template_render(template, &all, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(fetched); i++) {
    g_autofree char *path = g_strdup_printf("/task/template/renders/%zu", i);
    g_test_add_data_func(path, &fetched[i], renders);
  }
  g_test_add_func("/task/template/name_without_suffix_or_with_a_leading_point", name_without_suffix_or_with_a_leading_point);
  g_test_add_func("/task/template/wrong_ones_are_told", wrong_ones_are_told);
  g_test_add_func("/task/template/exports_have_no_file_yet", exports_have_no_file_yet);
  g_test_add_func("/task/template/result_is_never_a_wrong_name", result_is_never_a_wrong_name);
  return g_test_run();
}
