package host

import (
	"database/sql"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// injections are 500 strings and more that try to be more than a value.
func injections() []string {
	ends := []string{"'", `"`, "')", `")`, "' ", "'))", "`", "1", "1)", "", "\\'", "%27", "’", "';", "1;"}
	deeds := []string{
		" or 1=1", " or '1'='1", " OR ''='", "; drop table canary", "; delete from canary", "; update canary set k = 9", " union select 1", " union all select name from sqlite_master",
		"; insert into canary values (7)", "; attach database 'x' as x", "; pragma writable_schema=1", " and 1=(select count(*) from canary)", "||(select 1)", "; select load_extension('x')",
		" and sleep(9)", "; vacuum into 'x'", " group by 1 having 1=1",
	}
	tails := []string{"", " --", "/*"}
	var list []string
	for _, e := range ends {
		for _, d := range deeds {
			for _, t := range tails {
				list = append(list, e+d+t)
			}
		}
	}
	return append(list, ":v", "?", "$1", "@v", "#{NULL}", "{call x}", "\x00'", "'\n;drop table canary", "\u02bc or 1=1")
}

// injected are the types that a parameter may have.
var injected = strings.Fields("STRING CHAR VARCHAR TEXT CLOB INTEGER TINYINT SMALLINT BIGINT REAL DOUBLE FLOAT NUMERIC DECIMAL BIT BOOLEAN " +
	"DATE TIME TIMESTAMP BINARY VARBINARY BLOB UUID INETADDRESS VARINT QUERY_STRING")

// The ways in which a request can say a value: those of plain HTTP, and SOAP's.
const (
	plainWays = 5
	soapWays  = 3
)

// TestInjection gives every string in place of a parameter of every type, once over
// plain HTTP and once over SOAP, each time by another of their ways: the statement
// stays what it is.
func TestInjection(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("create table canary (k integer); insert into canary values (1), (2), (4)"); err != nil {
		t.Fatal(err)
	}
	var d strings.Builder
	d.WriteString(`<data name="I" serviceNamespace="urn:i" enableBoxcarring="true"><config id="default"><property name="driverClassName">x</property><property name="url">jdbc:sqlite:x</property></config>`)
	for _, typ := range injected {
		where, check := "k = 1 and :v is not null", ""
		if typ == "QUERY_STRING" {
			where, check = "k = 1 order by :v", `<validatePattern pattern="[a-z]+"/>`
		}
		fmt.Fprintf(&d, `<query id="q%[1]s"><sql>select k from canary where %[2]s</sql><param name="v" sqlType="%[1]s">%[3]s</param><result element="R" rowName="r"><element name="k" column="k" xsdType="integer"/></result></query>
			<operation name="o%[1]s"><call-query href="q%[1]s"><with-param name="v" query-param="v"/></call-query></operation>`, typ, where, check)
	}
	d.WriteString(`</data>`)
	engine, err := query.New(query.Options{Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: "sqlite:" + path}}})})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) { o.Opener = OpenWith(engine) })
	f.write("I.dbs", d.String())
	f.start()
	list := injections()
	if len(list) < 500 {
		t.Fatalf("%d strings", len(list))
	}
	one := map[string]bool{`{"R":{"r":[{"k":1}]}}`: true, `<R xmlns="urn:i"><r><k>1</k></r></R>`: true}
	var taken [plainWays + soapWays]int // by way
	for i, s := range list {
		for j, typ := range injected {
			for _, way := range []int{(i + j) % plainWays, plainWays + (i+j)%soapWays} {
				w := httptest.NewRecorder()
				f.Handler().ServeHTTP(w, injection(way, typ, s))
				body := strings.TrimSpace(w.Body.String())
				switch {
				case w.Code == http.StatusOK && one[within(body)]:
					taken[way]++
				case !refused(w.Code, body):
					t.Fatalf("%s %q by way %d: %d %s", typ, s, way, w.Code, body)
				}
			}
		}
	}
	for way, n := range taken {
		if n < len(list) {
			t.Errorf("only %d were bound as values by way %d: is the text refused before it is?", n, way)
		}
	}
	var rows, sum int
	if err := db.QueryRow("select count(*), sum(k) from canary").Scan(&rows, &sum); err != nil || rows != 3 || sum != 7 {
		t.Errorf("the table has %d rows of sum %d: %v", rows, sum, err)
	}
}

// within gives the result in an envelope or a box; otherwise all of it.
func within(body string) string {
	begin, end := strings.Index(body, "<R "), strings.LastIndex(body, "</R>")
	if begin < 0 || end < begin {
		return body
	}
	return body[begin : end+len("</R>")]
}

// refused tells whether a value was refused, and not executed.
func refused(status int, body string) bool {
	return status == http.StatusBadRequest || status == http.StatusInternalServerError &&
		(strings.Contains(body, "PARAMETERS_ERROR") || strings.Contains(body, "VALIDATION_ERROR") || strings.Contains(body, "Client"))
}

// injection asks for an operation in one of the ways.
func injection(way int, typ, value string) *http.Request {
	at, escaped := Prefix+"I/o"+typ, xmlText(value)
	switch way {
	case 0:
		r := httptest.NewRequest(http.MethodGet, at+"?"+url.Values{"v": {value}}.Encode(), nil)
		r.Header.Set("Accept", "application/json")
		return r
	case 1:
		return posted(at, "application/x-www-form-urlencoded", url.Values{"v": {value}}.Encode())
	case 2:
		return posted(at, "application/json", fmt.Sprintf(`{"o%s":{"v":%s}}`, typ, jsonText(value)))
	case 3:
		return posted(at, "application/xml", "<o"+typ+"><v>"+escaped+"</v></o"+typ+">")
	case 4:
		return posted(Prefix+"I/request_box", "application/xml", "<request_box><o"+typ+"><v>"+escaped+"</v></o"+typ+"></request_box>")
	case 5:
		return enveloped("I", "1.1", "<o"+typ+` xmlns="urn:i"><v>`+escaped+"</v></o"+typ+">")
	case 6:
		return enveloped("I", "1.2", "<o"+typ+` xmlns="urn:i"><v>`+escaped+"</v></o"+typ+">")
	}
	return enveloped("I", "1.1", `<request_box xmlns="urn:i"><o`+typ+"><v>"+escaped+"</v></o"+typ+"></request_box>")
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // memory does not fail
	return b.String()
}

func jsonText(s string) string {
	text, _ := json.Marshal(s) // text always can be
	return string(text)
}

func posted(at, media, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	return r
}
