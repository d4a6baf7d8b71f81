CREATE TABLE country (id INTEGER PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE partner (id INTEGER PRIMARY KEY, name text NOT NULL, email text, country_id integer REFERENCES country (id));
