/* SPDX-License-Identifier: Apache-2.0 */
#include "model/domain.h"
#include "shop_fixture.h"

static ShopFixture shop;

static void show(const PxDomain *domain, GString *out) {
  static const char *const kinds[] = {[PX_DOMAIN_AND] = "and", [PX_DOMAIN_OR] = "or", [PX_DOMAIN_NOT] = "not"};
  static const char *const ops[] = {
    [PX_OP_EQ] = "=",
    [PX_OP_NE] = "!=",
    [PX_OP_LT] = "<",
    [PX_OP_LE] = "<=",
    [PX_OP_GT] = ">",
    [PX_OP_GE] = ">=",
    [PX_OP_IN] = "in",
    [PX_OP_NOT_IN] = "not in",
    [PX_OP_LIKE] = "like",
    [PX_OP_ILIKE] = "ilike",
    [PX_OP_NOT_LIKE] = "not like",
    [PX_OP_NOT_ILIKE] = "not ilike",
    [PX_OP_EQ_LIKE] = "=like",
    [PX_OP_EQ_ILIKE] = "=ilike",
    [PX_OP_CHILD_OF] = "child_of",
  };
  if (domain->kind != PX_DOMAIN_LEAF) {
    g_string_append_printf(out, "%s(", kinds[domain->kind]);
    for (size_t i = 0; i < domain->n_children; i++) {
      g_string_append(out, i ? ", " : "");
      show(domain->children[i], out);
    }
    g_string_append_c(out, ')');
    return;
  }
  for (size_t i = 0; i < domain->n_path; i++)
    g_string_append_printf(out, "%s%s", i ? "." : "", domain->path[i]->name);
  g_string_append_printf(out, " %s", ops[domain->op]);
  for (size_t i = 0; i < domain->n_values; i++) {
    const PxValue *value = &domain->values[i];
    if (value->kind == PX_NULL)
      g_string_append(out, " NULL");
    else if (value->kind == PX_INTEGER)
      g_string_append_printf(out, " %lld", (long long)value->integer);
    else if (value->kind == PX_REAL)
      g_string_append_printf(out, " %g", value->real);
    else
      g_string_append_printf(out, " '%.*s'", (int)value->len, value->text);
  }
}

static void check(const char *text, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDomain) domain = px_domain_parse(shop_model(&shop, "partner"), text, NULL, &error);
  g_assert_no_error(error);
  g_autoptr(GString) shown = g_string_new(NULL);
  show(domain, shown);
  g_assert_cmpstr(shown->str, ==, expected);
}

static void check_refused(const char *text, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDomain) domain = px_domain_parse(shop_model(&shop, "partner"), text, NULL, &error);
  g_assert_null(domain);
  g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  g_assert_cmpstr(error->message, ==, expected);
}

static void test_empty(void) {
  check("", "and()");
  check(" [] ", "and()");
  check("()", "and()");
}

static void test_conditions(void) {
  check("[('email', '=', 'a@x.test')]", "and(email = 'a@x.test')");
  check("[[\"country_id.code\", \"in\", (\"FR\", \"BE\",),],]", "and(country_id.code in 'FR' 'BE')");
  check("[('country_id.currency_id.name', '!=', 'EUR'), ('color', '>=', 3)]", "and(country_id.currency_id.name != 'EUR', color >= 3)");
  check("[('name', 'not ilike', 'x'), ('name', '=like', 'a%'), ('name', 'NOT IN', [])]", "and(name not ilike 'x', name =like 'a%', name not in)");
  check("[('country_id', '=', 75), ('.id', 'in', [1, 2]), ('country_id.id', '<', 9), ('id', '=', 4)]",
        "and(country_id = 75, id in 1 2, country_id.id < 9, id = 4)");
}

static void test_values(void) {
  check("[('active', '=', True), ('is_company', '!=', False), ('email', '=', False), ('parent_id', '!=', None)]",
        "and(active = 1, is_company != 0, email = NULL, parent_id != NULL)");
  check("[('credit', '>', 1.50), ('credit', '<', '2'), ('color', '=', -3), ('name', '=', 75001)]",
        "and(credit > 1.5, credit < 2, color = -3, name = '75001')");
  check("[('date', '<', '2020-01-05'), ('visited', '>=', '2020-01-05T10:11')]", "and(date < '2020-01-05', visited >= '2020-01-05 10:11:00')");
  check("[('type', '=', 'Invoice Address'), ('name', '=', ' kept '), ('photo', '=', None)]", "and(type = 'invoice', name = ' kept ', photo = NULL)");
  check("[('name', '=', ''), ('name', 'in', ['a', False])]", "and(name = '', name in 'a' NULL)");
}

static void test_strings(void) {
  check("[('name', '=', 'it\\'s \"q\"'), ('name', '=', \"a'b\\n\\t\\\\\\x41\\u00e9\\z\")]",
        "and(name = 'it's \"q\"', name = 'a'b\n\t\\A\xc3\xa9\\z')");
}

static void test_operators(void) {
  check("['|', ('color', '=', 1), ('color', '=', 2), ('name', '=', 'x')]", "and(or(color = 1, color = 2), name = 'x')");
  check("['|', '|', ('color', '=', 1), ('color', '=', 2), ('color', '=', 3)]", "and(or(color = 1, color = 2, color = 3))");
  check("['|', ('color', '=', 1), '|', ('color', '=', 2), ('color', '=', 3)]", "and(or(color = 1, color = 2, color = 3))");
  check("['!', '&', ('color', '=', 1), '!', ('color', '=', 2)]", "and(not(and(color = 1, not(color = 2))))");
  check("['!', '!', ('color', '=', 1)]", "and(not(not(color = 1)))");
}

static void test_places(void) {
  check_refused("[('nme', '=', 'x')]", "character 3: partner has no field \"nme\" (did you mean name?)");
  check_refused("[('name', '=', 'x'), ('name', 'lke', 'x')]", "character 31: \"lke\" is no operator (did you mean like?)");
  check_refused("[('n\xc3\xa9', '=', 1)]", "character 3: partner has no field \"n\xc3\xa9\"");
  check_refused("[('\xc3\xa9\xc3\xa9', '=', 1), 5]", "character 3: partner has no field \"\xc3\xa9\xc3\xa9\"");
  check_refused("[('name', '=', uid)]",
                "character 16: \"uid\" is no value: texts stand in quotes, and there are numbers, True, False, None, today and now");
  check_refused("[('name', '=', 'x')", "character 1: this list has no closing ]");
  check_refused("[('name', '=', 'x]", "character 16: this text has no closing '");
  check_refused("[('name' '=', 'x')]", "character 10: a comma or ) is missing");
  check_refused("[] x", "character 4: nothing may stand behind the list");
  check_refused("[('name', '=')]", "character 2: a condition has three parts: field, operator, value");
  check_refused("['|', ('name', '=', 'x')]", "character 2: | needs two conditions behind it");
  check_refused("['!']", "character 2: ! needs a condition behind it");
  check_refused("('name', '=', 'x')",
                "character 2: \"name\" is no condition and none of & | !: a domain is a list of conditions [('field', '=', 'value')]");
  check_refused("5", "character 1: a domain is a list of conditions: [('field', '=', 'value')]");
  check_refused("[('name', '=', ", "character 16: the text ends where a value is expected");
}

static void test_wrong_values(void) {
  check_refused("[('color', '=', 'abc')]", "character 17: color: \"abc\" is no integer");
  check_refused("[('country_id', 'in', ['FR', 7])]",
                "character 24: country_id is compared by database id: \"FR\" is no integer; for a field of its record write country_id.FIELD");
  check_refused("[('name', 'in', 'x')]", "character 17: in needs a list of values");
  check_refused("[('name', '=', ['x'])]", "character 16: a list goes with in and not in");
  check_refused("[('name', '=', True)]", "character 16: True is a value of booleans only, and name is none");
  check_refused("[('color', '<', False)]", "character 17: < needs a value");
  check_refused("[('color', 'like', '1')]", "character 20: like compares texts, and color is integer");
  check_refused("[('photo', '=', 'x')]", "character 17: photo is binary: it can only be compared with None");
  check_refused("[('name.x', '=', 'x')]", "character 3: \"name\" is no relation: no field can follow it");
}

static void test_items(void) {
  check_refused("[('category_ids', '<', 1)]", "character 24: category_ids is a many2many: it has no order; for a field of its records write "
                                              "category_ids.FIELD");
  check_refused("[('category_ids', '=', [1])]", "character 24: a list goes with in and not in");
  check_refused("[('category_ids', 'in', ['Gold', None])]", "character 26: id: \"Gold\" is no integer");
}

static void test_names_of_records(void) {
  check("[('country_id', '=', 'France'), ('category_ids', 'ilike', 'go')]", "and(country_id.name = 'France', category_ids.name ilike 'go')");
  check("[('country_id', 'not ilike', 'fr'), ('child_ids', '!=', 'Bob')]", "and(not(country_id.name ilike 'fr'), not(child_ids.name = 'Bob'))");
  check("[('parent_id.category_ids', 'not in', ['Gold', '7'])]", "and(not(parent_id.category_ids.name in 'Gold' '7'))");
  check("[('country_id', '=', '75'), ('category_ids', 'in', ['1', 2])]", "and(country_id = 75, category_ids in 1 2)");
  check("[('country_id', 'like', '75')]", "and(country_id.name like '75')");
}

static void test_constants(void) {
  check("[(1, '=', 1), ('color', '=', 1)]", "and(and(), color = 1)");
  check("['|', (0, '=', 1), ('color', '=', 1)]", "and(or(color = 1))");
  check_refused("[(1, '!=', 1)]", "character 3: a condition begins with the name of a field, such as 'country_id.code'");
}

/* What the one condition of a domain compares with at 2026-03-01 10:20:30 of Paris. */
static void check_time(const char *text, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  g_assert_nonnull(paris);
  g_autoptr(PxDomain) domain = px_domain_parse(shop_model(&shop, "partner"), text, paris, &error);
  g_assert_no_error(error);
  const PxValue *value = domain->children[0]->values;
  g_autofree char *at =
    value->kind == PX_DOMAIN_TIME ? px_domain_time_at(value, G_GINT64_CONSTANT(1772356830123456)) : g_strndup(value->text, value->len);
  g_assert_cmpstr(at, ==, expected);
}

static void test_times(void) {
  check_time("[('date', '=', today)]", "2026-03-01");
  check_time("[('date', '>=', 'today - 7d')]", "2026-02-22");
  check_time("[('date', 'in', [ today-1w , '2020-01-01'])]", "2026-02-22");
  check_time("[('date', '<', today + 30 days - 1 month)]", "2026-03-03");
  check_time("[('date', '<', today - 2y - 1d)]", "2024-02-29");
  check_time("[('date', '=', now + 14h)]", "2026-03-02");
  check_time("[('visited', '<', now)]", "2026-03-01 10:20:30");
  check_time("[('visited', '<', 'now + 2h - 20min')]", "2026-03-01 12:00:30");
  check_time("[('visited', '<', today)]", "2026-03-01 00:00:00");
  check_time("[('visited', '<=', today - 1d)]", "2026-02-28 23:59:59.999999");
  check_time("[('visited', '>', 'today')]", "2026-03-01 23:59:59.999999");
  check_time("[('visited', '<=', today + 8h)]", "2026-03-01 08:00:00");
  /* The clocks of Paris go forward on 2026-03-29: a day is one of the calendar, an hour one of the clock. */
  check_time("[('visited', '<', today + 29d)]", "2026-03-30 00:00:00");
  check_time("[('visited', '<', today + 28d + 3h)]", "2026-03-29 04:00:00");
}

static void test_days_of_moments(void) {
  check_time("[('visited', '<=', '2020-01-05')]", "2020-01-05 23:59:59.999999");
  check_time("[('visited', '>', '2020-01-05')]", "2020-01-05 23:59:59.999999");
  check_time("[('visited', '<', '2020-01-05')]", "2020-01-05 00:00:00");
  check_time("[('visited', '=', '2020-01-05')]", "2020-01-05 00:00:00");
  check_time("[('visited', '<=', '2020-01-05 10:00:00Z')]", "2020-01-05 11:00:00");
  check_time("[('date', '<=', '2020-01-05')]", "2020-01-05");
}

static void test_wrong_times(void) {
  static const char offset[] = "what stands behind today or now is an offset such as - 7d or + 2h, of y, m, w, d, h or min";
  static const char *const texts[] = {"today - 7", "today 7d", "now + d", "today - 7x", "now +"};
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *domain = g_strdup_printf("[('date', '<', %s)]", texts[i]);
    g_autofree char *expected = g_strdup_printf("character 16: date: \"%s\": %s", texts[i], offset);
    check_refused(domain, expected);
  }
  check_refused("[('date', '=', today - 1001y)]", "character 16: date: \"today - 1001y\": this is more than a thousand years away");
  check_refused("[('date', '=', now + 99999999999999999999h)]",
                "character 16: date: \"now + 99999999999999999999h\": this is more than a thousand years away");
  check_refused("[('color', '=', today)]", "character 17: today is a date, and color is integer");
  check_refused("[('date', '=', 'tomorrow')]", "character 16: date: \"tomorrow\" is no date: write YYYY-MM-DD");
  check("[('name', '=', 'today')]", "and(name = 'today')");
}

static void test_child_of(void) {
  check_refused("[('country_id', 'child_of', 1)]", "character 29: child_of follows the many2one parent_id of country to itself, and there is none");
  check_refused("[('name', 'child_of', 1)]", "character 23: child_of goes with a relation or with id, and name is text");
  check("[('parent_id', 'child_of', 1)]", "and(id child_of 1)");
  check("[('parent_id.parent_id', 'child_of', 'x')]", "and(parent_id.id child_of 'x')");
  check_refused("[('parent_id', 'child_of', False)]",
                "character 28: child_of needs the database id or the name of a record of partner, or a list of them");
  check_refused("[('parent_id', 'child_of', [1, [2]])]",
                "character 32: child_of needs the database id or the name of a record of partner, or a list of them");
}

static void test_too_deep(void) {
  g_autoptr(GString) text = g_string_new("[");
  for (unsigned i = 0; i < 5000; i++)
    g_string_append(text, "'!',");
  g_string_append(text, "('name','=','x')]");
  check_refused(text->str, "character 4002: more than 1000 operators apply to one another");
  g_string_truncate(text, 0);
  for (unsigned i = 0; i < 5000; i++)
    g_string_append_c(text, '[');
  check_refused(text->str, "character 21: lists are too deep");
}

static void test_yaml(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxConfig) config =
    px_config_parse("a: [[country_id.code, in, [FR, BE]], '|', [active, '=', true], [name, '=', 75001], [email, '=', null], [name, '=', '5']]\n"
                    "t: [[date, '>', today - 7d]]\n"
                    "u: [[date, '>', today - 7]]\n"
                    "b: \"[('color', '=', 1)]\"\n"
                    "c: [[colr, '=', 1]]\n"
                    "d: \"[('colr', '=', 1)]\"\n",
                    "conf.yaml", &error);
  g_assert_no_error(error);
  const PxModel *model = shop_model(&shop, "partner");
  const PxConfigNode *root = px_config_root(config);
  static const char *const expected[] = {"and(country_id.code in 'FR' 'BE', or(active = 1, name = '75001'), email = NULL, name = '5')",
                                         "and(color = 1)", "and()"};
  static const char *const keys[] = {"a", "b", "missing"};
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    g_autoptr(PxDomain) domain = px_domain_from_node(model, px_node_get(root, keys[i]), NULL, &error);
    g_assert_no_error(error);
    g_autoptr(GString) shown = g_string_new(NULL);
    show(domain, shown);
    g_assert_cmpstr(shown->str, ==, expected[i]);
  }
  g_autoptr(PxDomain) time = px_domain_from_node(model, px_node_get(root, "t"), NULL, &error);
  g_assert_no_error(error);
  g_autofree char *at = px_domain_time_at(time->children[0]->values, 0);
  g_assert_cmpstr(at, ==, "1969-12-25");
  g_assert_null(px_domain_from_node(model, px_node_get(root, "u"), NULL, &error));
  g_assert_cmpstr(error->message, ==,
                  "conf.yaml:3: date: \"today - 7\": what stands behind today or now is an offset such as - 7d or + 2h, of y, m, w, d, h or min");
  g_clear_error(&error);
  g_assert_null(px_domain_from_node(model, px_node_get(root, "c"), NULL, &error));
  g_assert_cmpstr(error->message, ==, "conf.yaml:5: partner has no field \"colr\" (did you mean color?)");
  g_clear_error(&error);
  g_assert_null(px_domain_from_node(model, px_node_get(root, "d"), NULL, &error));
  g_assert_cmpstr(error->message, ==, "conf.yaml:6: character 3: partner has no field \"colr\" (did you mean color?)");
}

static void test_outlives_its_configuration(void) {
  g_autoptr(GError) error = NULL;
  PxConfig *config = px_config_parse("d: [[name, '=', kept], [email, in, [a@x]]]", "conf.yaml", &error);
  g_assert_no_error(error);
  g_autoptr(PxDomain) domain = px_domain_from_node(shop_model(&shop, "partner"), px_node_get(px_config_root(config), "d"), NULL, &error);
  g_assert_no_error(error);
  px_config_free(config);
  g_autoptr(GString) shown = g_string_new(NULL);
  show(domain, shown);
  g_assert_cmpstr(shown->str, ==, "and(name = 'kept', email in 'a@x')");
}

static void test_names(void) {
  g_autoptr(GError) error = NULL;
  const PxModel *model = shop_model(&shop, "partner");
  const PxField *active = shop_field(&shop, "partner", "active");
  g_autoptr(PxDomain) with = px_domain_parse(model, "['|', ('name', '=', 'x'), '!', ('active', '=', True)]", NULL, &error);
  g_autoptr(PxDomain) without = px_domain_parse(model, "[('parent_id.active', '=', True)]", NULL, &error);
  g_assert_no_error(error);
  g_assert_true(px_domain_names(with, active));
  g_assert_false(px_domain_names(without, active));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  shop_fixture_init(&shop, NULL);
  g_test_add_func("/model/domain/empty", test_empty);
  g_test_add_func("/model/domain/conditions", test_conditions);
  g_test_add_func("/model/domain/values", test_values);
  g_test_add_func("/model/domain/strings", test_strings);
  g_test_add_func("/model/domain/operators", test_operators);
  g_test_add_func("/model/domain/places", test_places);
  g_test_add_func("/model/domain/wrong_values", test_wrong_values);
  g_test_add_func("/model/domain/items", test_items);
  g_test_add_func("/model/domain/names_of_records", test_names_of_records);
  g_test_add_func("/model/domain/constants", test_constants);
  g_test_add_func("/model/domain/times", test_times);
  g_test_add_func("/model/domain/days_of_moments", test_days_of_moments);
  g_test_add_func("/model/domain/wrong_times", test_wrong_times);
  g_test_add_func("/model/domain/child_of", test_child_of);
  g_test_add_func("/model/domain/too_deep", test_too_deep);
  g_test_add_func("/model/domain/yaml", test_yaml);
  g_test_add_func("/model/domain/outlives_its_configuration", test_outlives_its_configuration);
  g_test_add_func("/model/domain/names", test_names);
  int status = g_test_run();
  shop_fixture_done(&shop);
  return status;
}
