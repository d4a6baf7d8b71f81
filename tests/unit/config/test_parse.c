/* SPDX-License-Identifier: Apache-2.0 */
#include "test_config.h"

static void places(void) {
  g_autoptr(PxConfig) config = parsed("a: 1\nb:\n  c: [x,\n    y]\n  d:\n");
  const PxConfigNode *b = px_node_get(px_config_root(config), "b");
  g_assert_cmpuint(px_node_line(px_node_get(px_config_root(config), "a")), ==, 1);
  g_assert_cmpuint(px_node_line(b), ==, 3);
  const PxConfigNode *c = px_node_get(b, "c");
  g_assert_cmpuint(px_node_count(c), ==, 2);
  g_assert_cmpuint(px_node_line(px_node_at(c, 1)), ==, 4);
  g_assert_cmpstr(px_node_text(px_node_at(c, 1)), ==, "y");
  g_assert_cmpint(px_node_type(px_node_get(b, "d")), ==, PX_NODE_NULL);
  g_assert_cmpuint(px_node_line(px_node_get(b, "d")), ==, 5);
  g_assert_cmpstr(px_node_file(b), ==, "t");
}

static void kinds(void) {
  g_autoptr(PxConfig) config = parsed("- yes\n- \"yes\"\n- 'null'\n- null\n- ~\n- !!str 12\n- 12\n- |\n  two\n  lines\n-\n");
  const PxConfigNode *root = px_config_root(config);
  static const struct {
    PxNodeType type;
    bool quoted;
    const char *text;
  } expected[] = {
    {PX_NODE_SCALAR, false, "yes"}, {PX_NODE_SCALAR, true, "yes"}, {PX_NODE_SCALAR, true, "null"}, {PX_NODE_NULL, false, NULL},
    {PX_NODE_NULL, false, NULL},    {PX_NODE_SCALAR, true, "12"},  {PX_NODE_SCALAR, false, "12"},  {PX_NODE_SCALAR, true, "two\nlines\n"},
    {PX_NODE_NULL, false, NULL},
  };
  g_assert_cmpuint(px_node_count(root), ==, G_N_ELEMENTS(expected));
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    const PxConfigNode *node = px_node_at(root, i);
    g_assert_cmpint(px_node_type(node), ==, expected[i].type);
    g_assert_cmpint(px_node_is_quoted(node), ==, expected[i].quoted);
    g_assert_cmpstr(px_node_text(node), ==, expected[i].text);
  }
}

static void missing_nodes(void) {
  g_assert_cmpint(px_node_type(NULL), ==, PX_NODE_NULL);
  g_assert_null(px_node_get(NULL, "a"));
  g_assert_null(px_node_at(NULL, 0));
  g_assert_null(px_node_text(NULL));
  g_assert_null(px_node_key_at(NULL, 0));
  g_assert_cmpuint(px_node_count(NULL), ==, 0);
  g_assert_null(px_node_file(NULL));
  g_assert_cmpuint(px_node_line(NULL), ==, 0);
  g_assert_false(px_node_is_secret(NULL));
}

static void empty(void) {
  g_autoptr(PxConfig) nothing = parsed("");
  g_assert_cmpint(px_node_type(px_config_root(nothing)), ==, PX_NODE_NULL);
  g_autoptr(PxConfig) comment = parsed("# nothing\n");
  g_assert_cmpint(px_node_type(px_config_root(comment)), ==, PX_NODE_NULL);
}

static void syntax_error(void) {
  assert_refused("a: 1\nb: [1, 2\nc: 3\n", "t:");
  assert_refused("x: 0\na: 1\n b: 2\n", "t:2: no YAML: ");
  assert_refused("a: \"x\n", "no YAML");
  assert_refused("a: %\n---\n: }", "t:");
  assert_refused("a: \"x\\0y\"\n", "t:1: a NUL character");
}

static void syntax_hints(void) {
  assert_refused("a: 1\ns: {user: ${USER}, b: 1}\n", "put quotes around a text with ${...}");
  assert_refused("a: @b\n", "put quotes around the text");
}

/* libfyaml 0.7.12 loops for ever on this one. */
static void directives(void) {
  assert_refused("a: \"x\"\ns'\n%YAMLM-V1.2\n---\nx:&a  1}\n", "t:3: a line that begins with %");
}

static void duplicate_key(void) {
  assert_refused("a: 1\nb: 2\na: 3\n", "t:3: the key \"a\" stands here and on line 1 already");
  assert_refused("s: {k: 1, k: 2}\n", "the key \"k\"");
}

static void second_document(void) {
  assert_refused("a: 1\n---\nb: 2\n", "t:2: a second document");
}

static void odd_keys(void) {
  assert_refused("? [a, b]\n: 1\n", "t:1: a key must be a plain word");
  assert_refused("a: &x 1\n*x : 2\n", "cannot be a key");
}

static void tags(void) {
  assert_refused("a: !include other.yaml\n", "t:1: the tag !include means nothing here");
  assert_refused("a: !!python/object {}\n", "the tag tag:yaml.org,2002:python/object");
}

static void alias(void) {
  g_autoptr(PxConfig) config = parsed("a: &a {x: [1, 2]}\nb: *a\n");
  const PxConfigNode *x = px_node_get(px_node_get(px_config_root(config), "b"), "x");
  g_assert_cmpstr(px_node_text(px_node_at(x, 1)), ==, "2");
  g_assert_cmpuint(px_node_line(x), ==, 1);
  assert_refused("b: *nobody\n", "t:1: *nobody is an alias, but nothing above has its name; put quotes around");
  assert_refused("b: &b {c: *b}\n", "t:1: the alias *b stands inside what it names");
}

static void many_laughs(void) {
  g_autoptr(GString) text = g_string_new("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
  for (unsigned i = 1; i < 10; i++) {
    g_string_append_printf(text, "a%u: &a%u [", i, i);
    for (unsigned j = 0; j < 10; j++)
      g_string_append_printf(text, "%s*a%u", j ? ", " : "", i - 1);
    g_string_append(text, "]\n");
  }
  assert_refused(text->str, "more than 200000 values");
}

static char *repeated(const char *piece, unsigned n) {
  GString *text = g_string_new(NULL);
  for (unsigned i = 0; i < n; i++)
    g_string_append(text, piece);
  return g_string_free(text, FALSE);
}

static void deep(void) {
  g_autofree char *lists = repeated("[", 100000);
  assert_refused(lists, "t:1: nested deeper than 50 levels");
  g_autofree char *maps = repeated("{a: ", 100000);
  assert_refused(maps, "nested deeper than 50 levels");
  g_autofree char *dashes = repeated("- ", 100000);
  assert_refused(dashes, "nested deeper than 50 levels");
  g_autofree char *open = repeated("[", 40);
  g_autofree char *close = repeated("]", 40);
  g_autofree char *deeper = g_strdup_printf("a: &a %s%s\nb: %s*a%s\n", open, close, open, close);
  assert_refused(deeper, "t:2: nested deeper than 50 levels");
}

static void json_is_yaml(void) {
  static const char *text = "{\"a\":[1,2.50,true,null,\"x\\n\\u00e9\\\"\"],\"b\":{\"c\":\"true\",\"d\":\"\"}}";
  g_autoptr(PxConfig) config = parsed(text);
  g_autofree char *json = px_node_to_json(px_config_root(config));
  g_assert_cmpstr(json, ==, "{\"a\":[1,2.50,true,null,\"x\\né\\\"\"],\"b\":{\"c\":\"true\",\"d\":\"\"}}");
}

static void json_of_plain_words(void) {
  g_autoptr(PxConfig) config = parsed("a: [no, True, 007, 1e5, .5, -3, 0x1F, name, 1.]\n");
  g_autofree char *json = px_node_to_json(px_config_root(config));
  g_assert_cmpstr(json, ==, "{\"a\":[\"no\",true,\"007\",1e5,\".5\",-3,\"0x1F\",\"name\",\"1.\"]}");
}

static void json_keeps_dollars(void) {
  g_autoptr(PxConfig) config = parsed("[\"$${HOME}\", \"$$${HOME}\", \"${date:%Y}\", \"a$b$$\", \"${home}\"]");
  static const char *const expected[] = {"${HOME}", "$${HOME}", "${date:%Y}", "a$b$$", "${home}"};
  g_autofree char *json = px_node_to_json(px_config_root(config));
  g_autoptr(PxConfig) again = parsed(json);
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_assert_cmpstr(px_node_text(px_node_at(px_config_root(config), i)), ==, expected[i]);
    g_assert_cmpstr(px_node_text(px_node_at(px_config_root(again), i)), ==, expected[i]);
    g_assert_false(px_node_is_secret(px_node_at(px_config_root(config), i)));
  }
}

void add_parse_tests(void) {
  g_test_add_func("/config/parse/places", places);
  g_test_add_func("/config/parse/kinds_of_scalars", kinds);
  g_test_add_func("/config/parse/missing_nodes_are_null", missing_nodes);
  g_test_add_func("/config/parse/empty", empty);
  g_test_add_func("/config/parse/syntax_error_has_its_place", syntax_error);
  g_test_add_func("/config/parse/syntax_hints", syntax_hints);
  g_test_add_func("/config/parse/directives_are_refused", directives);
  g_test_add_func("/config/parse/duplicate_key_names_both_lines", duplicate_key);
  g_test_add_func("/config/parse/second_document", second_document);
  g_test_add_func("/config/parse/odd_keys", odd_keys);
  g_test_add_func("/config/parse/tags", tags);
  g_test_add_func("/config/parse/alias", alias);
  g_test_add_func("/config/parse/many_laughs", many_laughs);
  g_test_add_func("/config/parse/deep_nesting", deep);
  g_test_add_func("/config/json/is_yaml", json_is_yaml);
  g_test_add_func("/config/json/plain_words", json_of_plain_words);
  g_test_add_func("/config/json/keeps_dollars", json_keeps_dollars);
}
