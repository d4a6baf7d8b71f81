-- SPDX-License-Identifier: Apache-2.0
-- The tables of the example shop. pattimpex reads all it needs from here: types, NOT NULL, defaults, keys, selections, relations.

CREATE TABLE country (
  id INTEGER PRIMARY KEY,
  code varchar(2) NOT NULL UNIQUE,
  name varchar(60) NOT NULL UNIQUE
);

CREATE TABLE state (
  id INTEGER PRIMARY KEY,
  country_id integer NOT NULL REFERENCES country (id),
  code varchar(3) NOT NULL,
  name varchar(60) NOT NULL,
  UNIQUE (country_id, code)
);

-- Companies and the people in them: a person has a parent_id.
CREATE TABLE partner (
  id INTEGER PRIMARY KEY,
  ref varchar(12) UNIQUE,
  name varchar(80) NOT NULL,
  email varchar(120) UNIQUE,
  phone varchar(30),
  street varchar(80),
  zip varchar(12),
  city varchar(60),
  state_id integer REFERENCES state (id),
  country_id integer REFERENCES country (id),
  parent_id integer REFERENCES partner (id),
  is_company boolean NOT NULL DEFAULT FALSE,
  type varchar(10) NOT NULL DEFAULT 'contact' CHECK (type IN ('contact', 'invoice', 'delivery')),
  payment_days integer DEFAULT 30,
  credit_limit numeric(10, 2),
  customer_since date,
  notes text,
  active boolean NOT NULL DEFAULT TRUE
);
CREATE INDEX partner_name ON partner (name);
CREATE INDEX partner_parent ON partner (parent_id);
CREATE INDEX partner_state ON partner (state_id);
CREATE INDEX partner_country ON partner (country_id);

CREATE TABLE category (
  id INTEGER PRIMARY KEY,
  name varchar(40) NOT NULL UNIQUE,
  parent_id integer REFERENCES category (id)
);

-- Two foreign keys and nothing else: a many2many on both sides.
CREATE TABLE partner_category (
  partner_id integer NOT NULL REFERENCES partner (id) ON DELETE CASCADE,
  category_id integer NOT NULL REFERENCES category (id) ON DELETE CASCADE,
  PRIMARY KEY (partner_id, category_id)
);
CREATE INDEX partner_category_category ON partner_category (category_id);

CREATE TABLE product (
  id INTEGER PRIMARY KEY,
  code varchar(16) NOT NULL UNIQUE,
  name varchar(80) NOT NULL,
  kind varchar(8) NOT NULL DEFAULT 'goods' CHECK (kind IN ('goods', 'service')),
  price numeric(10, 2) NOT NULL DEFAULT 0 CHECK (price >= 0),
  weight double precision,
  stock integer NOT NULL DEFAULT 0,
  barcode varchar(13) UNIQUE,
  attributes json,
  active boolean NOT NULL DEFAULT TRUE
);

CREATE TABLE sale_order (
  id INTEGER PRIMARY KEY,
  name varchar(12) NOT NULL UNIQUE,
  partner_id integer NOT NULL REFERENCES partner (id),
  ordered_at timestamp NOT NULL,
  state varchar(8) NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'sent', 'done', 'cancel')),
  total numeric(12, 2) NOT NULL DEFAULT 0
);
CREATE INDEX sale_order_partner ON sale_order (partner_id);

CREATE TABLE order_line (
  id INTEGER PRIMARY KEY,
  order_id integer NOT NULL REFERENCES sale_order (id) ON DELETE CASCADE,
  number integer NOT NULL,
  product_id integer NOT NULL REFERENCES product (id),
  quantity numeric(8, 2) NOT NULL DEFAULT 1 CHECK (quantity > 0),
  price numeric(10, 2) NOT NULL,
  UNIQUE (order_id, number)
);
CREATE INDEX order_line_product ON order_line (product_id);
