/* SPDX-License-Identifier: Apache-2.0 */
/* Named filters: the section "filters", and what stands where a filter is asked for. */
#include "base/text.h"
#include "pattern/pattern_private.h"

#include <stddef.h>

typedef struct {
  char *model;
  const PxConfigNode *domain;
} Settings;

static const PxKey keys[] = {
  {.name = "model", .type = PX_KEY_STRING, .offset = offsetof(Settings, model), .required = true},
  {.name = "domain", .type = PX_KEY_NODE, .offset = offsetof(Settings, domain), .required = true},
};

static void settings_done(Settings *settings) {
  g_free(settings->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_done)

static void check_one(const PxConfigNode *node, const char *name, const PxSchema *schema, GTimeZone *timezone, PxComplaints *complaints) {
  g_autofree char *what = g_strdup_printf("filter %s", name);
  g_auto(Settings) settings = {0};
  px_config_read(node, keys, G_N_ELEMENTS(keys), &settings, what, complaints);
  if (!settings.model || !settings.domain)
    return;
  const PxModel *model = px_schema_model(schema, settings.model);
  if (!model) {
    g_autofree char *meant = px_schema_did_you_mean(schema, settings.model);
    px_complain(complaints, px_node_get(node, "model"), "%s: the database has no model %s%s", what, settings.model, meant);
    return;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDomain) domain = px_node_type(settings.domain) == PX_NODE_SCALAR
                                 ? px_domain_parse(model, px_node_text(settings.domain), timezone, &error)
                                 : px_domain_from_node(model, settings.domain, timezone, &error);
  if (!domain)
    px_complain(complaints, settings.domain, "%s: %s", what, error->message);
}

void px_filters_check(const PxConfigNode *filters, const PxSchema *schema, GTimeZone *timezone, PxComplaints *complaints) {
  if (px_node_type(filters) != PX_NODE_MAP && px_node_type(filters) != PX_NODE_NULL) {
    px_complain(complaints, filters, "filters: a map of names and filters is expected");
    return;
  }
  for (size_t i = 0; i < px_node_count(filters); i++)
    check_one(px_node_at(filters, i), px_node_key_at(filters, i), schema, timezone, complaints);
}

static char *did_you_mean(const PxConfigNode *filters, const char *name) {
  size_t n = px_node_count(filters);
  g_autofree const char **names = g_new(const char *, n + 1);
  for (size_t i = 0; i < n; i++)
    names[i] = px_node_key_at(filters, i);
  return px_text_did_you_mean(name, names, n);
}

/* A domain begins with a list; what has nothing in it that a condition needs is meant as a name. */
static bool looks_like_name(const char *text) {
  return *text && !strpbrk(text, "[]()'\",");
}

const char *px_filters_name(const PxConfigNode *filters, const char *text, GError **error) {
  g_autofree char *name = g_strstrip(g_strdup(text));
  for (size_t i = 0; i < px_node_count(filters); i++)
    if (g_str_equal(px_node_key_at(filters, i), name))
      return px_node_key_at(filters, i);
  if (!looks_like_name(name))
    return NULL;
  g_autofree char *meant = did_you_mean(filters, name);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "there is no filter \"%s\"%s; a domain is a list of conditions: [('field', '=', 'value')]", name,
              meant);
  return NULL;
}

static PxDomain *named_domain(const PxConfigNode *filter, const char *name, GTimeZone *timezone, const PxModel *model, GError **error) {
  const char *other = px_node_text(px_node_get(filter, "model"));
  if (g_strcmp0(other, model->name) == 0)
    return px_domain_from_node(model, px_node_get(filter, "domain"), timezone, error);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "the filter %s is of the model %s, but the records are of %s", name, other ? other : "?",
              model->name);
  return NULL;
}

PxDomain *px_filters_domain(const PxConfigNode *filters, GTimeZone *timezone, const PxModel *model, const char *text, GError **error) {
  g_autoptr(GError) problem = NULL;
  const char *name = px_filters_name(filters, text, &problem);
  if (name)
    return named_domain(px_node_get(filters, name), name, timezone, model, error);
  if (!problem)
    return px_domain_parse(model, text, timezone, error);
  g_propagate_error(error, g_steal_pointer(&problem));
  return NULL;
}

PxDomain *px_filters_domain_from_node(const PxConfigNode *filters, GTimeZone *timezone, const PxModel *model, const PxConfigNode *node,
                                      GError **error) {
  const char *text = px_node_text(node);
  g_autoptr(GError) problem = NULL;
  if (text && px_filters_name(filters, text, &problem))
    return px_filters_domain(filters, timezone, model, text, error);
  if (!problem)
    return px_domain_from_node(model, node, timezone, error);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "%s:%u: %s", px_node_file(node), px_node_line(node), problem->message);
  return NULL;
}
