package query_test

import (
	"strings"
	"testing"
)

// What SQL Server cannot do is refused at deployment; nothing is connected for it.
func TestSQLServerDeploys(t *testing.T) {
	t.Parallel()
	rt, err := open(t, parse(t, `<query id="keys" returnGeneratedKeys="true" keyColumns="id"><sql>insert into [t] (a) values (:a)</sql><param name="a"/>
  <result element="K" rowName="k"><element name="id" column="id"/></result></query>
<query id="call"><sql>{call dbo.p(?)}</sql><param name="a" ordinal="1"/></query>
<query id="out"><sql>{call p(?)}</sql><param name="a" type="OUT" ordinal="1"/></query>
<query id="paste"><sql>select a from t order by :by</sql><param name="by" sqlType="QUERY_STRING"><validatePattern pattern="[a-z]+"/></param>
  <result element="R" rowName="r"><element name="a" column="a"/></result></query>`), "jdbc:sqlserver://127.0.0.1:1;databaseName=d")
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, u := range rt.Unsupported() {
		refused = append(refused, u.What+": "+u.Why)
	}
	want := "query out: OUT parameters are not supported on SQL Server\n" +
		"query paste: QUERY_STRING parameters are not supported on SQL Server, where a second statement needs no semicolon before it"
	if got := strings.Join(refused, "\n"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, id := range []string{"keys", "call"} {
		if ok, why, err := rt.Transactional(t.Context(), id); ok || err != nil || why != "there is no inbox for sqlserver" {
			t.Errorf("%s: %t %q %v", id, ok, why, err)
		}
	}
}
