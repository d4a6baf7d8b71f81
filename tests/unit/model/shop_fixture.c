/* SPDX-License-Identifier: Apache-2.0 */
#include "shop_fixture.h"

static const char tables[] =
  "CREATE TABLE currency (id integer PRIMARY KEY, name varchar(3) NOT NULL UNIQUE, symbol varchar(8));"
  "CREATE TABLE country (id integer PRIMARY KEY, code varchar(2) UNIQUE, name varchar(120) NOT NULL, currency_id integer REFERENCES currency (id));"
  "CREATE TABLE category (id integer PRIMARY KEY, name varchar(120) NOT NULL, color integer DEFAULT 0);"
  "CREATE TABLE partner (id integer PRIMARY KEY, name varchar(240), email varchar(240), street varchar(240), active boolean DEFAULT TRUE,"
  " is_company boolean DEFAULT FALSE, type varchar(16) CHECK (type IN ('contact', 'invoice')), country_id integer REFERENCES country (id),"
  " parent_id integer REFERENCES partner (id), color integer, date date, visited timestamp, credit numeric(10, 2), photo blob, data json,"
  " shown varchar(300) GENERATED ALWAYS AS (name || ' <' || email || '>'));"
  "CREATE TABLE partner_category (partner_id integer NOT NULL REFERENCES partner (id), category_id integer NOT NULL REFERENCES category (id),"
  " PRIMARY KEY (partner_id, category_id));";

static const char labels[] = "models:\n"
                             "  partner:\n"
                             "    label: Contact\n"
                             "    fields:\n"
                             "      id: {label: ID}\n"
                             "      email: {label: Email}\n"
                             "      country_id: {label: Country}\n"
                             "      type: {label: Address Type, selection: {contact: Contact, invoice: Invoice Address}}\n"
                             "      child_ids: {label: Children, one2many: partner.parent_id}\n"
                             "      category_ids: {label: Tags, many2many: category, through: partner_category, from: partner_id, to: category_id}\n"
                             "  country:\n"
                             "    fields:\n"
                             "      code: {label: Country Code}\n"
                             "      partner_ids: {one2many: partner.country_id}\n";

void shop_fixture_init(ShopFixture *shop, const char *config) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  PxDbOptions options = {.url = "sqlite::memory:", .create = true};
  shop->db = px_db_open(&options, &error);
  g_assert_no_error(error);
  g_assert_true(px_db_exec(shop->db, tables, &error));
  g_autoptr(PxConfig) parsed = px_config_parse(config ? config : labels, "shop.yaml", &error);
  g_assert_no_error(error);
  shop->schema = px_schema_read(shop->db, parsed, complaints, &error);
  g_assert_no_error(error);
  px_complaints_to_error(complaints, &error);
  g_assert_no_error(error);
}

void shop_fixture_done(ShopFixture *shop) {
  px_schema_free(shop->schema);
  px_db_close(shop->db);
}

const PxModel *shop_model(const ShopFixture *shop, const char *name) {
  const PxModel *model = px_schema_model(shop->schema, name);
  g_assert_nonnull(model);
  return model;
}

const PxField *shop_field(const ShopFixture *shop, const char *model, const char *name) {
  const PxField *field = px_model_field(shop_model(shop, model), name);
  g_assert_nonnull(field);
  return field;
}
