package query_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// suite is what holds on every database.
func suite(t *testing.T, server *sourcetest.Server) { //nolint:thelper // a test with subtests
	for name, f := range map[string]func(*place){
		"resources":    testResources,
		"eventing":     testEventing,
		"keys":         testKeys,
		"counts":       testCounts,
		"types":        testTypes,
		"injection":    testInjection,
		"one_conn":     testOneConnection,
		"once":         testOnce,
		"race":         testRace,
		"serializable": testSerializable,
		"in_progress":  testInProgress,
		"failure":      testFailure,
		"lost_events":  testLostEvents,
		"read_events":  testReadEvents,
		"horizon":      testHorizon,
		"timeout":      testTimeout,
		"killed":       testKilled,
		"frozen":       testFrozen,
		"function":     testFunction,
		"loose":        testLoose,
		"off":          testOff,
		"boxes":        testBoxes,
		"box_events":   testBoxEvents,
		"batches":      testBatches,
		"procedures":   testProcedures,
		"pasted":       testPasted,
		"partial":      testPartial,
		"placeholders": testPlaceholders,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(newPlace(t, server.Database(t, "t_"+name)))
		})
	}
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	suite(t, sourcetest.OpenSQLite(t))
}

// place is a database with the samples' tables.
type place struct {
	*testing.T
	server *sourcetest.Server
	db     *sql.DB
}

func newPlace(t *testing.T, s *sourcetest.Server) *place {
	t.Helper()
	p := &place{T: t, server: s, db: s.Open(t)}
	for _, ddl := range []string{
		"CREATE TABLE Products (productCode VARCHAR(15) PRIMARY KEY, productName VARCHAR(70), productLine VARCHAR(50), quantityInStock INTEGER, buyPrice {double})",
		"CREATE TABLE Employees (employeeNumber INTEGER PRIMARY KEY, lastName VARCHAR(50), firstName VARCHAR(50), email VARCHAR(100), officeCode VARCHAR(10), salary {double}, CHECK (salary >= 0))",
		"CREATE TABLE Accounts (accountId {serial}, balance {double})",
	} {
		p.exec(p.ddl(ddl))
	}
	p.exec("INSERT INTO Products VALUES ('S10_1678','1969 Harley Davidson','Motorcycles',7933,48.81), ('S10_1949','1952 Alpine Renault 1300','Classic Cars',7305,98.58)")
	p.exec("INSERT INTO Employees VALUES (1002,'Murphy','Diane','d@x.com','1',2000), (1056,'Patterson','Mary','m@x.com','1',1500.5)")
	return p
}

// ddl writes the database's own types.
func (p *place) ddl(s string) string {
	types := map[string][2]string{
		"sqlite": {"DOUBLE", "INTEGER PRIMARY KEY"},
		"pgx":    {"DOUBLE PRECISION", "SERIAL PRIMARY KEY"},
		"mysql":  {"DOUBLE", "INTEGER AUTO_INCREMENT PRIMARY KEY"},
	}[p.server.Driver]
	return strings.NewReplacer("{double}", types[0], "{serial}", types[1]).Replace(s)
}

func (p *place) exec(text string) {
	p.Helper()
	if _, err := p.db.Exec(text); err != nil {
		p.Fatalf("%s: %v", text, err)
	}
}

// number asks for one.
func (p *place) number(text string) float64 {
	p.Helper()
	var f float64
	if err := p.db.QueryRow(text).Scan(&f); err != nil {
		p.Fatalf("%s: %v", text, err)
	}
	return f
}

func (p *place) rig(name string, hook dataservice.Hook, change func(*query.Options)) *rig {
	p.Helper()
	return newRig(p.T, name, p.server.URL, hook, change)
}

// fireReq makes a firing of an operation.
func (r *rig) fireReq(name, id string, at time.Time, v dataservice.Values) dataservice.Request {
	req := r.request(name, v)
	req.Fire = &dataservice.FireKey{ID: id, ClaimedAt: at}
	return req
}

// drop is a sink that forgets.
type drop struct{}

func (drop) Open(result.Name, bool) error              { return nil }
func (drop) Attribute(result.Name, result.Value) error { return nil }
func (drop) Leaf(result.Name, result.Value) error      { return nil }
func (drop) Close() error                              { return nil }

// wantFault checks the kind of a fault.
func wantFault(tb testing.TB, err error, kind dataservice.FaultKind) *dataservice.Fault {
	tb.Helper()
	var f *dataservice.Fault
	if !errors.As(err, &f) {
		tb.Fatalf("got %v, want a fault", err)
	}
	if f.Kind != kind {
		tb.Fatalf("got kind %d of %v (%v), want %d", f.Kind, f, f.Err, kind)
	}
	return f
}

// bell is a hook that remembers.
type bell struct {
	mu       sync.Mutex
	seen     []dataservice.Observation
	hits     []string
	rings    func(o dataservice.Observation) bool
	acceptBy func() error
}

func (*bell) Deploy(*dataservice.Service) error { return nil }
func (*bell) Undeploy(string)                   {}

func (b *bell) Observe(_ context.Context, o dataservice.Observation) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, o)
	if !b.rings(o) {
		return nil, nil
	}
	return []byte(o.Trigger.ID + "|" + string(o.Document)), nil
}

func (b *bell) Accept(_ context.Context, hits [][]byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acceptBy != nil {
		if err := b.acceptBy(); err != nil {
			return err
		}
	}
	for _, h := range hits {
		b.hits = append(b.hits, string(h))
	}
	return nil
}

func (b *bell) accepted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.hits...)
}

func testResources(p *place) {
	t := p.T
	r := p.rig("ResourcesSample", nil, nil)
	product := one("productCode", "X1", "productName", "Bell", "productLine", "Metal & <co>", "quantityInStock", "12", "buyPrice", "9.75")
	for _, step := range []struct {
		name string
		v    dataservice.Values
		want string
	}{
		{"POST product", product, ""},
		{"GET product/{productCode}", one("productCode", "X1"), `{"Products":{"Product":[{"productName":"Bell","productLine":"Metal & <co>","quantityInStock":12,"buyPrice":9.75}]}}`},
		{"PUT product", one("productCode", "X1", "productName", "Gong", "productLine", "Metal", "quantityInStock", "3", "buyPrice", "1500"), ""},
		{"GET product/{productCode}", one("productCode", "X1"), `{"Products":{"Product":[{"productName":"Gong","productLine":"Metal","quantityInStock":3,"buyPrice":1500.0}]}}`},
		{"GET products", nil, `{"Products":{"Product":[{"productCode":"S10_1678","productName":"1969 Harley Davidson","productLine":"Motorcycles","quantityInStock":7933,"buyPrice":48.81},{"productCode":"S10_1949","productName":"1952 Alpine Renault 1300","productLine":"Classic Cars","quantityInStock":7305,"buyPrice":98.58},{"productCode":"X1","productName":"Gong","productLine":"Metal","quantityInStock":3,"buyPrice":1500.0}]}}`},
		{"GET product/{productCode}", one("productCode", "none"), `{"Products":{}}`},
	} {
		got, err := r.json(step.name, step.v)
		if err != nil {
			t.Fatalf("%s: %v (%v)", step.name, err, errors.Unwrap(err))
		}
		if got != step.want {
			t.Errorf("%s:\n got %s\nwant %s", step.name, got, step.want)
		}
	}
}

func testEventing(p *place) {
	t := p.T
	b := &bell{rings: func(o dataservice.Observation) bool {
		return !o.Input || bytes.Contains(o.Document, []byte("<quantityInStock>5</quantityInStock>"))
	}}
	r := p.rig("EventingSample", b, nil)
	if _, err := r.xml("addProduct", one("productCode", "E1", "productLine", "Motorcycles", "productName", "n", "quantityInStock", "100", "buyPrice", "1")); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"50", "5"} {
		if _, err := r.xml("updateProductQuantity", one("productCode", "E1", "quantityInStock", q)); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.number("SELECT quantityInStock FROM Products WHERE productCode = 'E1'"); got != 5 {
		t.Errorf("quantity is %v, want 5", got)
	}
	got, err := r.xml("getProductByCode", one("productCode", "E1"))
	if err != nil {
		t.Fatal(err)
	}
	// buyPrice has requiredRoles: it is left out.
	want := `<Products xmlns="http://ws.wso2.org/dataservice/samples/eventing_sample"><Product><productCode>E1</productCode><productLine>Motorcycles</productLine><productName>n</productName><quantityInStock>5</quantityInStock></Product></Products>`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	wantHits := []string{
		"product_stock_low_trigger|<updateProductQuantityQuery><productCode>E1</productCode><quantityInStock>5</quantityInStock></updateProductQuantityQuery>",
		"product_line_motorcycles_trigger|" + want,
	}
	if hits := b.accepted(); strings.Join(hits, "\n") != strings.Join(wantHits, "\n") {
		t.Errorf("hits:\n%s\nwant:\n%s", strings.Join(hits, "\n"), strings.Join(wantHits, "\n"))
	}
	if len(b.seen) != 3 {
		t.Errorf("%d observations, want 3", len(b.seen))
	}
	// A request that fails shows nothing to its triggers.
	_, err = r.xml("updateProductQuantity", one("productCode", "E1", "quantityInStock", "five"))
	wantFault(t, err, dataservice.FaultInput)
	if len(b.seen) != 3 {
		t.Error("a failed request was observed")
	}
}

func testKeys(p *place) {
	t := p.T
	r := p.rig("H2ReturnGeneratedKeysTest", nil, nil)
	for id := 1; id <= 2; id++ {
		got, err := r.json("insertBalance", one("balance", "11.5"))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"GeneratedKeys":{"Entry":[{"ID":%d}]}}`, id); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := p.number("SELECT count(*) FROM Accounts"); got != 2 {
		t.Errorf("%v rows, want 2", got)
	}
}

func testCounts(p *place) {
	t := p.T
	p.exec("INSERT INTO Accounts (balance) VALUES (1), (1), (2)")
	r := p.rig("ReturnUpdatedRowCountSample", nil, nil)
	for _, want := range []string{
		`{"UpdatedRowCount":{"Entry":[{"COUNT":2}]}}`,
		`{"UpdatedRowCount":{"Entry":[{"COUNT":0}]}}`,
	} {
		got, err := r.json("update_Accounts", one("oldBalance", "1", "newBalance", "7"))
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// Rows that are found but not changed count, as in JDBC.
	if got, err := r.json("update_Accounts", one("oldBalance", "7", "newBalance", "7")); err != nil || !strings.Contains(got, `"COUNT":2`) {
		t.Errorf("got %s, %v, want 2 rows", got, err)
	}
}

// testOneConnection nests queries on a pool of one connection.
func testOneConnection(p *place) {
	t := p.T
	p.exec("CREATE TABLE Offices (officeCode VARCHAR(10), city VARCHAR(50), phone VARCHAR(50), addressLine1 VARCHAR(50), addressLine2 VARCHAR(50), state VARCHAR(50), country VARCHAR(50))")
	p.exec("INSERT INTO Offices (officeCode, city) VALUES ('1', 'San Francisco'), ('2', 'Boston')")
	svc := load(t, "NestedQuerySample")
	svc.Sources[0].Properties["maxActive"] = "1"
	p.exec("ALTER TABLE Employees ADD COLUMN jobTitle VARCHAR(50)")
	r := rigOf(t, svc, p.server.URL, nil, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got, err := r.json("listOffices", nil)
			if err != nil {
				t.Error(err)
			}
			if strings.Count(got, `"employeeNumber":"1`) != 2 || strings.Count(got, `"Employees":{"Employee":[`) != 1 || strings.Count(got, `"Employees":{}`) != 1 {
				t.Errorf("got %s", got)
			}
		})
	}
	wg.Wait()
}

func testTimeout(p *place) {
	t := p.T
	r := p.rig("ResourcesSample", nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.rt.Run(ctx, r.request("GET products", nil), drop{})
	wantFault(t, err, dataservice.FaultTimeout)
}
