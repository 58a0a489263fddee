-- The database of the sample data service (services/Stock.dbs). It can be run
-- again at any time, on SQLite, PostgreSQL, MariaDB and MySQL: what is there
-- stays as it is.

CREATE TABLE IF NOT EXISTS products (
    productCode     VARCHAR(20) NOT NULL PRIMARY KEY,
    productName     VARCHAR(80) NOT NULL,
    quantityInStock INTEGER     NOT NULL,
    price           DECIMAL(10, 2) NOT NULL
);

INSERT INTO products (productCode, productName, quantityInStock, price)
SELECT 'BELL-01', 'Hand bell, brass', 12, 24.50
FROM (SELECT 1 AS one) AS once
WHERE NOT EXISTS (SELECT productCode FROM products WHERE productCode = 'BELL-01');

INSERT INTO products (productCode, productName, quantityInStock, price)
SELECT 'BELL-02', 'Ship''s bell, bronze', 40, 189.00
FROM (SELECT 1 AS one) AS once
WHERE NOT EXISTS (SELECT productCode FROM products WHERE productCode = 'BELL-02');

INSERT INTO products (productCode, productName, quantityInStock, price)
SELECT 'BELL-03', 'Cow bell, steel', 250, 12.90
FROM (SELECT 1 AS one) AS once
WHERE NOT EXISTS (SELECT productCode FROM products WHERE productCode = 'BELL-03');

INSERT INTO products (productCode, productName, quantityInStock, price)
SELECT 'ROPE-10', 'Bell rope, hemp, 10 m', 18, 45.00
FROM (SELECT 1 AS one) AS once
WHERE NOT EXISTS (SELECT productCode FROM products WHERE productCode = 'ROPE-10');
