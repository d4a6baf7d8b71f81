-- SPDX-License-Identifier: Apache-2.0
-- Believable records, the same at every run: word lists, put together by arithmetic. All addresses end in .example (RFC 2606).

INSERT INTO country (code, name) VALUES
  ('AT', 'Austria'), ('AU', 'Australia'), ('BE', 'Belgium'), ('BR', 'Brazil'), ('CA', 'Canada'), ('CH', 'Switzerland'), ('CZ', 'Czechia'),
  ('DE', 'Germany'), ('DK', 'Denmark'), ('ES', 'Spain'), ('FI', 'Finland'), ('FR', 'France'), ('GB', 'United Kingdom'), ('GR', 'Greece'),
  ('HU', 'Hungary'), ('IE', 'Ireland'), ('IN', 'India'), ('IT', 'Italy'), ('JP', 'Japan'), ('LU', 'Luxembourg'), ('MX', 'Mexico'),
  ('NL', 'Netherlands'), ('NO', 'Norway'), ('PL', 'Poland'), ('PT', 'Portugal'), ('RO', 'Romania'), ('SE', 'Sweden'), ('SI', 'Slovenia'),
  ('SK', 'Slovakia'), ('US', 'United States');

WITH s (country, code, name) AS (VALUES
  ('DE', 'BW', 'Baden-Württemberg'), ('DE', 'BY', 'Bayern'), ('DE', 'BE', 'Berlin'), ('DE', 'BB', 'Brandenburg'), ('DE', 'HB', 'Bremen'),
  ('DE', 'HH', 'Hamburg'), ('DE', 'HE', 'Hessen'), ('DE', 'MV', 'Mecklenburg-Vorpommern'), ('DE', 'NI', 'Niedersachsen'),
  ('DE', 'NW', 'Nordrhein-Westfalen'), ('DE', 'RP', 'Rheinland-Pfalz'), ('DE', 'SL', 'Saarland'), ('DE', 'SN', 'Sachsen'),
  ('DE', 'ST', 'Sachsen-Anhalt'), ('DE', 'SH', 'Schleswig-Holstein'), ('DE', 'TH', 'Thüringen'),
  ('FR', 'ARA', 'Auvergne-Rhône-Alpes'), ('FR', 'BRE', 'Bretagne'), ('FR', 'GES', 'Grand Est'), ('FR', 'HDF', 'Hauts-de-France'),
  ('FR', 'IDF', 'Île-de-France'), ('FR', 'NAQ', 'Nouvelle-Aquitaine'), ('FR', 'OCC', 'Occitanie'), ('FR', 'PAC', 'Provence-Alpes-Côte d''Azur'),
  ('FR', 'PDL', 'Pays de la Loire'), ('FR', 'NOR', 'Normandie'), ('FR', 'BFC', 'Bourgogne-Franche-Comté'),
  ('US', 'CA', 'California'), ('US', 'CO', 'Colorado'), ('US', 'FL', 'Florida'), ('US', 'GA', 'Georgia'), ('US', 'IL', 'Illinois'),
  ('US', 'MA', 'Massachusetts'), ('US', 'NY', 'New York'), ('US', 'OR', 'Oregon'), ('US', 'TX', 'Texas'), ('US', 'WA', 'Washington'),
  ('CA', 'BC', 'British Columbia'), ('CA', 'ON', 'Ontario'), ('CA', 'QC', 'Québec'),
  ('IT', 'LOM', 'Lombardia'), ('IT', 'LAZ', 'Lazio'), ('IT', 'PIE', 'Piemonte'), ('IT', 'TOS', 'Toscana'), ('IT', 'VEN', 'Veneto'),
  ('ES', 'AN', 'Andalucía'), ('ES', 'CT', 'Catalunya'), ('ES', 'MD', 'Madrid'), ('ES', 'PV', 'Euskadi'), ('ES', 'VC', 'Comunitat Valenciana'))
INSERT INTO state (country_id, code, name) SELECT country.id, s.code, s.name FROM s JOIN country ON country.code = s.country;

INSERT INTO category (name) VALUES ('Customer'), ('Supplier'), ('Reseller'), ('Press');
INSERT INTO category (name, parent_id)
  SELECT n.column2, category.id FROM category
  JOIN (VALUES ('Customer', 'Retail'), ('Customer', 'Restaurant'), ('Customer', 'Workshop'), ('Supplier', 'Raw material'), ('Supplier', 'Transport'),
               ('Reseller', 'Gold'), ('Reseller', 'Silver')) n ON n.column1 = category.name;

-- ---------------------------------------------------------------- the words

CREATE TEMP TABLE place (n INTEGER PRIMARY KEY, country, state, city, zip, street, dial);
INSERT INTO place (country, state, city, zip, street, dial) VALUES
  ('DE', 'BY', 'München', '80331', 'Lindenstraße', '+49 89'), ('DE', 'HH', 'Hamburg', '20095', 'Hafenweg', '+49 40'),
  ('DE', 'BE', 'Berlin', '10115', 'Gartenstraße', '+49 30'), ('DE', 'NW', 'Köln', '50667', 'Am Alten Markt', '+49 221'),
  ('DE', 'SN', 'Leipzig', '04109', 'Südplatz', '+49 341'), ('DE', 'BW', 'Stuttgart', '70173', 'Mühlgasse', '+49 711'),
  ('AT', NULL, 'Wien', '1010', 'Ringgasse', '+43 1'), ('AT', NULL, 'Graz', '8010', 'Sporweg', '+43 316'),
  ('CH', NULL, 'Zürich', '8001', 'Seestrasse', '+41 44'),
  ('FR', 'IDF', 'Paris', '75011', 'Rue des Lilas', '+33 1'), ('FR', 'ARA', 'Lyon', '69002', 'Quai du Rhône', '+33 4'),
  ('FR', 'NAQ', 'Bordeaux', '33000', 'Cours de la Marne', '+33 5'), ('FR', 'HDF', 'Lille', '59000', 'Rue du Moulin', '+33 3'),
  ('FR', 'PDL', 'Nantes', '44000', 'Allée du Port', '+33 2'), ('BE', NULL, 'Liège', '4000', 'Rue du Pont', '+32 4'),
  ('BE', NULL, 'Namur', '5000', 'Place du Marché', '+32 81'), ('LU', NULL, 'Luxembourg', '1111', 'Grand-Rue', '+352'),
  ('GB', NULL, 'Leeds', 'LS1 4AP', 'Mill Lane', '+44 113'), ('GB', NULL, 'Bristol', 'BS1 5TR', 'Harbour Road', '+44 117'),
  ('IE', NULL, 'Cork', 'T12 W8KP', 'Orchard Street', '+353 21'), ('US', 'OR', 'Portland', '97205', 'Maple Avenue', '+1 503'),
  ('US', 'TX', 'Austin', '78701', 'Cedar Street', '+1 512'), ('US', 'MA', 'Boston', '02108', 'Elm Street', '+1 617'),
  ('CA', 'ON', 'Toronto', 'M5V 2T6', 'Front Street', '+1 416'), ('AU', NULL, 'Melbourne', '3000', 'Station Street', '+61 3'),
  ('IT', 'LOM', 'Milano', '20121', 'Via dei Tigli', '+39 02'), ('IT', 'LAZ', 'Roma', '00184', 'Via del Forno', '+39 06'),
  ('IT', 'TOS', 'Firenze', '50122', 'Piazza Nuova', '+39 055'), ('IT', 'PIE', 'Torino', '10121', 'Corso Alpi', '+39 011'),
  ('ES', 'MD', 'Madrid', '28013', 'Calle del Olmo', '+34 91'), ('ES', 'CT', 'Barcelona', '08002', 'Carrer Nou', '+34 93'),
  ('ES', 'AN', 'Sevilla', '41001', 'Calle Feria', '+34 95'), ('MX', NULL, 'Puebla', '72000', 'Avenida Reforma', '+52 222'),
  ('NL', NULL, 'Utrecht', '3511 AB', 'Molenweg', '+31 30'), ('NL', NULL, 'Groningen', '9711 BC', 'Havenkade', '+31 50'),
  ('BE', NULL, 'Gent', '9000', 'Kerkstraat', '+32 9');

CREATE TEMP TABLE speaks (country PRIMARY KEY, language, form);
INSERT INTO speaks VALUES
  ('DE', 'de', 'GmbH'), ('AT', 'de', 'GmbH'), ('CH', 'de', 'AG'), ('FR', 'fr', 'SARL'), ('BE', 'fr', 'SRL'), ('LU', 'fr', 'SA'), ('GB', 'en', 'Ltd'),
  ('IE', 'en', 'Ltd'), ('US', 'en', 'Inc.'), ('CA', 'en', 'Inc.'), ('AU', 'en', 'Pty Ltd'), ('IT', 'it', 'S.r.l.'), ('ES', 'es', 'S.L.'),
  ('MX', 'es', 'S.A.'), ('NL', 'nl', 'B.V.');

-- n counts from 0 within a language.
CREATE TEMP TABLE family (language, n, name, plain, PRIMARY KEY (language, n));
INSERT INTO family SELECT column1, row_number() OVER (PARTITION BY column1) - 1, column2, column3 FROM (VALUES
  ('de', 'Keller', 'keller'), ('de', 'Brandt', 'brandt'), ('de', 'Vogel', 'vogel'), ('de', 'Schäfer', 'schaefer'), ('de', 'Hoffmann', 'hoffmann'),
  ('de', 'Lindner', 'lindner'), ('de', 'Müller', 'mueller'), ('de', 'Seidel', 'seidel'), ('de', 'Köhler', 'koehler'), ('de', 'Arnold', 'arnold'),
  ('fr', 'Dubois', 'dubois'), ('fr', 'Lefèvre', 'lefevre'), ('fr', 'Moreau', 'moreau'), ('fr', 'Garnier', 'garnier'), ('fr', 'Rousseau', 'rousseau'),
  ('fr', 'Chevalier', 'chevalier'), ('fr', 'Bertrand', 'bertrand'), ('fr', 'Noël', 'noel'), ('fr', 'Perrin', 'perrin'), ('fr', 'Faure', 'faure'),
  ('en', 'Walker', 'walker'), ('en', 'Bennett', 'bennett'), ('en', 'Hughes', 'hughes'), ('en', 'Foster', 'foster'), ('en', 'Murphy', 'murphy'),
  ('en', 'Coleman', 'coleman'), ('en', 'Barnes', 'barnes'), ('en', 'O''Neill', 'oneill'), ('en', 'Hayes', 'hayes'), ('en', 'Porter', 'porter'),
  ('it', 'Ricci', 'ricci'), ('it', 'Ferrara', 'ferrara'), ('it', 'Conti', 'conti'), ('it', 'Marini', 'marini'), ('it', 'Gallo', 'gallo'),
  ('it', 'Rinaldi', 'rinaldi'), ('it', 'Costa', 'costa'), ('it', 'Fontana', 'fontana'), ('it', 'Serra', 'serra'), ('it', 'Vitale', 'vitale'),
  ('es', 'Navarro', 'navarro'), ('es', 'Ibáñez', 'ibanez'), ('es', 'Romero', 'romero'), ('es', 'Castillo', 'castillo'), ('es', 'Vega', 'vega'),
  ('es', 'Muñoz', 'munoz'), ('es', 'Ortega', 'ortega'), ('es', 'Molina', 'molina'), ('es', 'Serrano', 'serrano'), ('es', 'Prieto', 'prieto'),
  ('nl', 'de Vries', 'devries'), ('nl', 'Bakker', 'bakker'), ('nl', 'van Dijk', 'vandijk'), ('nl', 'Visser', 'visser'), ('nl', 'Smit', 'smit'),
  ('nl', 'Mulder', 'mulder'), ('nl', 'de Boer', 'deboer'), ('nl', 'Dekker', 'dekker'), ('nl', 'Hendriks', 'hendriks'), ('nl', 'Kuipers', 'kuipers'));

CREATE TEMP TABLE trade (language, n, name, plain, PRIMARY KEY (language, n));
INSERT INTO trade SELECT column1, row_number() OVER (PARTITION BY column1) - 1, column2, column3 FROM (VALUES
  ('de', 'Holzbau', 'holzbau'), ('de', 'Elektrotechnik', 'elektro'), ('de', 'Gartenbau', 'garten'), ('de', 'Bürobedarf', 'buero'),
  ('de', 'Metallwaren', 'metall'), ('de', 'Feinkost', 'feinkost'), ('de', 'Möbel', 'moebel'),
  ('fr', 'Menuiserie', 'menuiserie'), ('fr', 'Électricité', 'electricite'), ('fr', 'Jardins', 'jardins'), ('fr', 'Papeterie', 'papeterie'),
  ('fr', 'Outillage', 'outillage'), ('fr', 'Traiteur', 'traiteur'), ('fr', 'Meubles', 'meubles'),
  ('en', 'Joinery', 'joinery'), ('en', 'Electrical', 'electrical'), ('en', 'Gardens', 'gardens'), ('en', 'Stationery', 'stationery'),
  ('en', 'Hardware', 'hardware'), ('en', 'Catering', 'catering'), ('en', 'Furniture', 'furniture'),
  ('it', 'Legnami', 'legnami'), ('it', 'Elettrica', 'elettrica'), ('it', 'Giardini', 'giardini'), ('it', 'Cartoleria', 'cartoleria'),
  ('it', 'Ferramenta', 'ferramenta'), ('it', 'Gastronomia', 'gastronomia'), ('it', 'Arredi', 'arredi'),
  ('es', 'Carpintería', 'carpinteria'), ('es', 'Electricidad', 'electricidad'), ('es', 'Jardines', 'jardines'), ('es', 'Papelería', 'papeleria'),
  ('es', 'Ferretería', 'ferreteria'), ('es', 'Alimentación', 'alimentacion'), ('es', 'Muebles', 'muebles'),
  ('nl', 'Houtbouw', 'houtbouw'), ('nl', 'Elektro', 'elektro'), ('nl', 'Tuinen', 'tuinen'), ('nl', 'Kantoor', 'kantoor'),
  ('nl', 'IJzerwaren', 'ijzerwaren'), ('nl', 'Delicatessen', 'delicatessen'), ('nl', 'Meubelen', 'meubelen'));

CREATE TEMP TABLE given (language, n, name, plain, PRIMARY KEY (language, n));
INSERT INTO given SELECT column1, row_number() OVER (PARTITION BY column1) - 1, column2, column3 FROM (VALUES
  ('de', 'Anna', 'anna'), ('de', 'Jonas', 'jonas'), ('de', 'Katrin', 'katrin'), ('de', 'Lukas', 'lukas'), ('de', 'Jürgen', 'juergen'),
  ('de', 'Sabine', 'sabine'), ('de', 'Uwe', 'uwe'), ('fr', 'Camille', 'camille'), ('fr', 'Élodie', 'elodie'), ('fr', 'Hugo', 'hugo'),
  ('fr', 'Julien', 'julien'), ('fr', 'Margaux', 'margaux'), ('fr', 'Théo', 'theo'), ('fr', 'Zoé', 'zoe'), ('en', 'Alice', 'alice'),
  ('en', 'Daniel', 'daniel'), ('en', 'Grace', 'grace'), ('en', 'Henry', 'henry'), ('en', 'Olivia', 'olivia'), ('en', 'Peter', 'peter'),
  ('en', 'Ruth', 'ruth'), ('it', 'Chiara', 'chiara'), ('it', 'Davide', 'davide'), ('it', 'Elena', 'elena'), ('it', 'Giorgio', 'giorgio'),
  ('it', 'Lucia', 'lucia'), ('it', 'Matteo', 'matteo'), ('it', 'Niccolò', 'niccolo'), ('es', 'Andrés', 'andres'), ('es', 'Carmen', 'carmen'),
  ('es', 'Diego', 'diego'), ('es', 'Inés', 'ines'), ('es', 'Lucía', 'lucia'), ('es', 'Pablo', 'pablo'), ('es', 'Rosa', 'rosa'),
  ('nl', 'Bram', 'bram'), ('nl', 'Eva', 'eva'), ('nl', 'Joris', 'joris'), ('nl', 'Lotte', 'lotte'), ('nl', 'Sanne', 'sanne'),
  ('nl', 'Teun', 'teun'), ('nl', 'Willem', 'willem'));

-- ---------------------------------------------------------------- partners

-- Two of one name, and one that is no longer active: the files in drop/in lean on them.
INSERT INTO partner (ref, name, email, phone, street, zip, city, state_id, country_id, is_company, payment_days, credit_limit, customer_since, notes, active)
  SELECT p.column1, p.column2, p.column3, p.column4, p.column5, p.column6, p.column7, state.id, country.id, TRUE, p.column10, p.column11, p.column12, p.column13, p.column14
  FROM (VALUES
    ('C-0001', 'Café Central', 'wien@cafecentral.example', '+43 1 5550101', 'Ringgasse 14', '1010', 'Wien', NULL, 'AT', 14, 2500, '2016-03-01', NULL, 1),
    ('C-0002', 'Café Central', 'liege@cafecentral.example', '+32 4 5550102', 'Rue du Pont 3', '4000', 'Liège', NULL, 'BE', 30, 1800, '2018-09-17', NULL, 1),
    ('C-0003', 'Atelier Lumière SARL', 'contact@atelierlumiere.example', '+33 4 5550103', 'Quai du Rhône 27', '69002', 'Lyon', 'ARA', 'FR', 30, 12000,
     '2015-05-11', 'Wants one invoice a month', 1),
    ('C-0004', 'Holz & Söhne GmbH', 'info@holzsoehne.example', '+49 89 5550104', 'Lindenstraße 8', '80331', 'München', 'BY', 'DE', 14, 8000, '2017-01-09', NULL, 1),
    ('C-0005', 'Green Mill Supplies Ltd', 'sales@greenmill.example', '+44 113 5550105', 'Mill Lane 52', 'LS1 4AP', 'Leeds', NULL, 'GB', 45, 15000.5, '2015-11-23', NULL, 1),
    ('C-0006', 'Old Harbour Books Inc.', 'hello@oldharbour.example', '+1 617 5550106', 'Elm Street 210', '02108', 'Boston', 'MA', 'US', 30, 900, '2016-07-04',
     'Closed in 2023', 0)) p
  LEFT JOIN country ON country.code = p.column9
  LEFT JOIN state ON state.code = p.column8 AND state.country_id = country.id;

CREATE TEMP TABLE company (n INTEGER PRIMARY KEY, language, domain, name, place);
WITH RECURSIVE counter (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n < 479),
  placed AS (SELECT counter.n, place.n AS place, speaks.language, speaks.form, row_number() OVER (PARTITION BY speaks.language ORDER BY counter.n) - 1 AS k
             FROM counter JOIN place ON place.n = counter.n * 29 % 36 + 1 JOIN speaks ON speaks.country = place.country),
  -- 10 families x 7 trades: 70 different names a language; the town tells the others apart
  named AS (SELECT placed.*, family.name AS family, family.plain AS family_plain, trade.name AS trade, trade.plain AS trade_plain
            FROM placed JOIN family ON family.language = placed.language AND family.n = placed.k * 3 % 10
            JOIN trade ON trade.language = placed.language AND trade.n = placed.k * 5 % 7)
INSERT INTO company SELECT n, language, family_plain || '-' || trade_plain || CASE WHEN k >= 70 THEN '-' || (k / 70 + 1) ELSE '' END || '.example',
  family || ' ' || trade || ' ' || CASE WHEN k >= 70 THEN (SELECT city FROM place p WHERE p.n = named.place) || ' ' ELSE '' END || form, place FROM named;

INSERT INTO partner (ref, name, email, phone, street, zip, city, state_id, country_id, is_company, payment_days, credit_limit, customer_since, active)
  SELECT printf('C-%04d', 100 + c.n), c.name, 'info@' || c.domain, place.dial || printf(' 555%04d', c.n * 7 % 10000), place.street || ' ' || (c.n * 13 % 180 + 1),
    place.zip, place.city, state.id, country.id, TRUE, CASE c.n % 4 WHEN 0 THEN 14 WHEN 1 THEN 45 ELSE 30 END, (c.n * 37 % 200 + 5) * 100,
    date('2015-01-05', '+' || (c.n * 97 % 3600) || ' days'), c.n % 41 <> 0
  FROM company c JOIN place ON place.n = c.place JOIN country ON country.code = place.country
  LEFT JOIN state ON state.country_id = country.id AND state.code = place.state ORDER BY c.n;

-- One to four people a company; 5 and 7 have no common divisor, so nobody is in the same house twice.
WITH seat (k) AS (VALUES (0), (1), (2), (3))
INSERT INTO partner (name, email, phone, parent_id, country_id, type)
  SELECT given.name || ' ' || family.name, given.plain || '.' || family.plain || '@' || c.domain, company.phone || '-' || (10 + seat.k), company.id, company.country_id,
    CASE seat.k WHEN 2 THEN 'invoice' WHEN 3 THEN 'delivery' ELSE 'contact' END
  FROM company c JOIN partner company ON company.email = 'info@' || c.domain JOIN seat ON seat.k <= c.n * 11 % 4
  JOIN given ON given.language = c.language AND given.n = (c.n + seat.k * 5) % 7
  JOIN family ON family.language = c.language AND family.n = (c.n * 3 + seat.k) % 10 ORDER BY c.n, seat.k;

INSERT INTO partner_category (partner_id, category_id)
  SELECT partner.id, category.id FROM partner JOIN category ON category.id = partner.id * 7 % 11 + 1 WHERE partner.is_company;

-- ---------------------------------------------------------------- products

WITH thing (n, name, kind, price, weight) AS (VALUES
    (0, 'Screwdriver', 'goods', 890, 0.2), (1, 'Hand saw', 'goods', 2450, 0.6), (2, 'Cordless drill', 'goods', 12900, 1.8), (3, 'Work lamp', 'goods', 3990, 1.1),
    (4, 'Tape measure', 'goods', 750, 0.15), (5, 'Oak board', 'goods', 5600, 7.5), (6, 'Desk chair', 'goods', 18900, 12), (7, 'Bookshelf', 'goods', 14900, 24),
    (8, 'Notebook', 'goods', 450, 0.3), (9, 'Garden hose', 'goods', 2900, 3.2), (10, 'Flower pot', 'goods', 1290, 2.1), (11, 'Coffee beans', 'goods', 1690, 1),
    (12, 'Olive oil', 'goods', 1350, 1.2), (13, 'Assembly', 'service', 6500, NULL), (14, 'Delivery', 'service', 2900, NULL)),
  variant (k, suffix, mark, percent) AS (VALUES
    (0, 'Basic', 'B', 80), (1, 'Classic', 'C', 100), (2, 'Plus', 'P', 125), (3, 'Pro', 'R', 160), (4, 'Large', 'L', 140), (5, 'Compact', 'K', 90), (6, 'Green', 'G', 105),
    (7, 'Black', 'S', 105), (8, 'Set of 2', '2', 190), (9, 'Set of 5', '5', 450), (10, 'Set of 10', '10', 850), (11, 'Limited', 'X', 210))
INSERT INTO product (code, name, kind, price, weight, stock, barcode, attributes, active)
  SELECT printf('P%03d-%s', thing.n + 100, variant.mark), thing.name || ' ' || variant.suffix, thing.kind, thing.price * variant.percent / 100 / 100.0,
    thing.weight, CASE thing.kind WHEN 'goods' THEN (thing.n * 31 + variant.k * 17) % 240 ELSE 0 END,
    CASE thing.kind WHEN 'goods' THEN printf('4%012d', thing.n * 1000003 + variant.k * 7919) END,
    CASE WHEN variant.k IN (6, 7) THEN json_object('color', lower(variant.suffix)) END, (thing.n + variant.k) % 29 <> 0
  FROM thing, variant ORDER BY thing.n, variant.k;

-- ---------------------------------------------------------------- orders

WITH RECURSIVE counter (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n < 899)
INSERT INTO sale_order (name, partner_id, ordered_at, state)
  SELECT printf('SO%05d', n + 1), partner.id, datetime('2025-01-02 08:00:00', '+' || (n * 583) || ' minutes'),
    CASE WHEN n >= 870 THEN 'draft' WHEN n >= 840 THEN 'sent' WHEN n % 23 = 0 THEN 'cancel' ELSE 'done' END
  FROM counter JOIN partner ON partner.ref = printf('C-%04d', 100 + n * 101 % 480) ORDER BY n;

WITH line (k) AS (VALUES (1), (2), (3), (4), (5))
INSERT INTO order_line (order_id, number, product_id, quantity, price)
  SELECT sale_order.id, line.k, product.id, (sale_order.id * 3 + line.k) % 9 + 1, product.price
  FROM sale_order JOIN line ON line.k <= sale_order.id * 7 % 5 + 1
  JOIN product ON product.id = (sale_order.id * 41 + line.k * 59) % 180 + 1 ORDER BY sale_order.id, line.k;

UPDATE sale_order SET total = (SELECT round(sum(quantity * price), 2) FROM order_line WHERE order_line.order_id = sale_order.id);

DROP TABLE temp.place;
DROP TABLE temp.speaks;
DROP TABLE temp.family;
DROP TABLE temp.trade;
DROP TABLE temp.given;
DROP TABLE temp.company;
