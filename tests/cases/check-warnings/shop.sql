CREATE TABLE partner (id INTEGER PRIMARY KEY, name text NOT NULL, email text, city text);
CREATE INDEX partner_email ON partner (email);
