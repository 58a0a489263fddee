package host

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// Batches, boxes and sessions are asked and answered as the document says.
func TestOpenAPIOfMany(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("create table t (id integer, name text)"); err != nil {
		t.Fatal(err)
	}
	engine, err := query.New(query.Options{Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: "sqlite:" + path}}})})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) { o.Opener = OpenWith(engine) })
	f.write("Many.dbs", `<data name="Many" serviceNamespace="urn:m" enableBatchRequests="true" enableBoxcarring="true">
  <config id="c"><property name="driverClassName">x</property><property name="url">jdbc:sqlite:x</property></config>
  <query id="in" useConfig="c"><sql>insert into t values (:id, :name)</sql><param name="id" sqlType="INTEGER"/><param name="name" sqlType="STRING" defaultValue="x"/></query>
  <query id="up" useConfig="c" returnUpdatedRowCount="true"><sql>update t set name = :name where id = :id</sql><param name="id" sqlType="INTEGER"/><param name="name" sqlType="STRING"/>
    <result element="Changed" rowName="c"><element name="n" column="1" xsdType="integer"/></result></query>
  <query id="all" useConfig="c"><sql>select id, name from t order by id</sql><result element="All" rowName="one"><element name="id" column="id" xsdType="integer"/></result></query>
  <operation name="in"><call-query href="in"><with-param name="id" query-param="id"/><with-param name="name" query-param="name"/></call-query></operation>
  <operation name="all"><call-query href="all"/></operation>
  <resource method="PUT" path="thing/{id}"><call-query href="up"><with-param name="id" query-param="id"/><with-param name="name" query-param="name"/></call-query></resource>
</data>`)
	f.start()
	s, _ := f.Service("Many")
	router := documented(t, f.Handler(), s)
	for _, c := range []struct {
		method, path, body string
		answers            bool
	}{
		{"POST", "in_batch_req", `{"in_batch_req":{"in":[{"id":1},{"id":2,"name":"b"}]}}`, false},
		{"POST", "_putthing_id_batch_req", `{"_putthing_id_batch_req":{"_putthing_id":[{"id":1,"name":"c"},{"id":1,"name":"d"}]}}`, true},
		{"POST", "request_box", `{"request_box":{"in":{"id":3},"in_batch_req":{"in":[{"id":4}]},"_putthing_id":{"id":3,"name":"e"},"all":{}}}`, true},
		{"POST", "begin_boxcar", "", true},
		{"POST", "abort_boxcar", "", false},
	} {
		r := posted(Prefix+"Many/"+c.path, "application/json", c.body)
		r.Method = c.method
		if n := judge(t, f.Handler(), router, asked{service: "Many", name: c.path, rest: r}); (n == 1) != c.answers {
			t.Errorf("%s: an answer %t, want %t", c.path, n == 1, c.answers)
		}
	}
	var rows int
	if err := db.QueryRowContext(t.Context(), "select count(*) from t where name in ('x', 'b', 'd', 'e')").Scan(&rows); err != nil || rows != 4 {
		t.Errorf("%d rows are as they were asked to be: %v", rows, err)
	}
	if w := get(f.Handler(), http.MethodPost, Prefix+"Many/end_boxcar"); w.Code != http.StatusBadRequest {
		t.Errorf("an end without a session: %d", w.Code)
	}
}
