/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A small shop in memory for tests that need models: country, currency, category, partner. */
#include "model/model.h"

typedef struct {
  PxDb *db;
  PxSchema *schema;
} ShopFixture;

/* config: the section "models" and more as YAML; NULL: labels and relations of the shop. Fails the test when something is wrong. */
void shop_fixture_init(ShopFixture *shop, const char *config);
void shop_fixture_done(ShopFixture *shop);
const PxModel *shop_model(const ShopFixture *shop, const char *name);
const PxField *shop_field(const ShopFixture *shop, const char *model, const char *name);
