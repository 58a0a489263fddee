//go:build integration

package host

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// More than the corpus's SQL has: tables that some descriptors use and none of
// its files make, and rows that calls ask for.
const (
	moreSamples = `CREATE TABLE PersonNullTest(PersonID INTEGER, LastName VARCHAR(50), City INTEGER, Weight DOUBLE);
insert into Files values ('bell.txt','text/plain'); insert into Files values ('old.txt','text/plain');
insert into Accounts (balance) values (1000); insert into Accounts (balance) values (2000)`
	moreAccounts = `insert into Accounts (balance) values (1000); insert into Accounts (balance) values (2000)`
	shop         = `CREATE TABLE Category(categoryName VARCHAR(50), description VARCHAR(200), image BLOB);
CREATE TABLE Product(productCode VARCHAR(15) PRIMARY KEY, productName VARCHAR(70), categoryName VARCHAR(50), productVendor VARCHAR(50), productDescription VARCHAR(200), quantityInStock INTEGER, price DOUBLE, reorderLevel INTEGER, reorderQuantity INTEGER, image BLOB);
CREATE TABLE Customer(customerEmail VARCHAR(50), customerName VARCHAR(50), phone VARCHAR(50), addressLine1 VARCHAR(50), addressLine2 VARCHAR(50), city VARCHAR(50), state VARCHAR(50), postalCode VARCHAR(15), country VARCHAR(50));
CREATE TABLE OrderEntry(orderNumber INTEGER NOT NULL AUTO_INCREMENT, orderDate DATE, requiredDate DATE, shippedDate DATE, status VARCHAR(15), comments VARCHAR(200), customerEmail VARCHAR(50), PRIMARY KEY (orderNumber));
CREATE TABLE OrderItem(orderNumber INTEGER, productCode VARCHAR(15), quantityOrdered INTEGER);
CREATE TABLE Payment(orderNumber INTEGER, checkNumber VARCHAR(50), paymentDate DATE, amount DOUBLE);
insert into Category values ('Bells','that ring',null); insert into Category values ('Gongs','that boom',null);
insert into Product values ('S10_1678','Bell','Bells','Foundry','loud',7,9.5,10,5,null);
insert into Customer values ('ann@belfry.dev','Ann','1','Lane 1',null,'Bath','A','1','UK'); insert into Customer values ('bob@belfry.dev','Bob','2','Lane 2',null,'Bath','A','1','UK');
insert into OrderEntry (orderDate,requiredDate,shippedDate,status,comments,customerEmail) values ('2024-01-02','2024-01-03','2024-01-04','Shipped',null,'ann@belfry.dev');
insert into OrderItem values (1,'S10_1678',3); insert into Payment values (1,'c1','2024-01-02',28.5)`
)

// translations are from H2's dialect, in statements that create something.
var translations = map[string][][2]string{
	"sqlite": {{`INTEGER NOT NULL AUTO_INCREMENT`, "INTEGER NOT NULL"}},
	"pgx":    {{`INTEGER NOT NULL AUTO_INCREMENT`, "SERIAL"}, {`\bDOUBLE\b`, "DOUBLE PRECISION"}, {`\bLONGVARCHAR\b`, "TEXT"}, {`\bBLOB\b`, "BYTEA"}},
	"mysql":  {{`\bLONGVARCHAR\b`, "LONGTEXT"}, {`\bBLOB\b`, "LONGBLOB"}},
}

var everywhere = [][2]string{
	{`PRIMARY KEY \((\w+)\),\s*\)`, "PRIMARY KEY ($1))"}, {`INTEGER\(10\)`, "INTEGER"}, {`CREATE INDEX (orders)`, "CREATE INDEX IF NOT EXISTS $1"},
}

// translate turns a statement of H2 into one of a driver's database.
func translate(driver, s string) string {
	if !strings.HasPrefix(s, "CREATE") {
		return s
	}
	for _, r := range append(everywhere, translations[driver]...) {
		s = regexp.MustCompile(r[0]).ReplaceAllString(s, r[1])
	}
	return s
}

// statements splits at semicolons outside literals.
func statements(text string) []string {
	var out []string
	start, quoted := 0, false
	text += ";"
	for i := range len(text) {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == ';' && !quoted:
			if s := strings.TrimSpace(text[start:i]); s != "" {
				out = append(out, s)
			}
			start = i + 1
		}
	}
	return out
}

// load executes SQL of H2 in one transaction.
func loadSQL(t *testing.T, s *sourcetest.Server, texts ...string) {
	t.Helper()
	tx, err := s.Open(t).Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		for _, one := range statements(text) {
			if _, err := tx.Exec(translate(s.Driver, one)); err != nil {
				t.Fatalf("%s: %v", one, err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// samplesSQL is all of the corpus's SQL, and what it lacks.
func samplesSQL(t *testing.T, wso2 string) []string {
	t.Helper()
	var texts []string
	for _, name := range []string{"CreateTables", "Customers", "Employees", "Offices", "Products", "ProductLines", "Orders", "Payments", "OrderDetails", "Doctors"} {
		text, err := os.ReadFile(filepath.Join(wso2, "sql", name+".sql"))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return append(texts, moreSamples)
}

// bank is the second database of the sample with two.
func bankSQL(t *testing.T, wso2 string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(wso2, "sql", "CreateTables2.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return []string{string(text), moreAccounts}
}
