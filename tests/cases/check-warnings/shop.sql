CREATE TABLE partner (id INTEGER PRIMARY KEY, name text NOT NULL, email text, city text);
CREATE INDEX partner_email ON partner (email);
CREATE TABLE orders (id INTEGER PRIMARY KEY, number text NOT NULL UNIQUE);
CREATE TABLE line (id INTEGER PRIMARY KEY, order_id integer NOT NULL REFERENCES orders (id), pos integer, qty integer, UNIQUE (order_id, pos));
