package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// bounded is a service whose operations exceed bounds: so many rows, queries nested
// so deep, so many values, so long a time.
func bounded(name string) string {
	return `<data name="` + name + `" serviceNamespace="urn:b" enableBatchRequests="true" enableBoxcarring="true">
  <config id="default"><property name="driverClassName">x</property><property name="url">jdbc:sqlite:x</property></config>
  <query id="rows"><sql>with recursive c(n) as (select 1 union all select n+1 from c where n &lt; :n) select n from c</sql>
    <param name="n" sqlType="INTEGER"/><result element="R" rowName="r"><element name="n" column="n"/></result></query>
  <query id="slow"><sql>with recursive c(n) as (select 1 union all select n+1 from c where n &lt; 2000000000) select count(*) as n from c</sql>
    <result element="R" rowName="r"><element name="n" column="n"/></result></query>
  <query id="deep0"><sql>select 0 as n</sql><result element="D0" rowName="r"><element name="n" column="n"/></result></query>
  <query id="deep1"><sql>select 1 as n</sql><result element="D1" rowName="r"><call-query href="deep0"/></result></query>
  <query id="deep2"><sql>select 2 as n</sql><result element="D2" rowName="r"><call-query href="deep1"/></result></query>
  <query id="array"><sql>select 1 as n where 0 not in (:v)</sql><param name="v" sqlType="INTEGER" paramType="ARRAY"/>
    <result element="R" rowName="r"><element name="n" column="n"/></result></query>
  <query id="in"><sql>insert into t values (:n)</sql><param name="n" sqlType="INTEGER"/></query>
  <operation name="rows"><call-query href="rows"><with-param name="n" query-param="n"/></call-query></operation>
  <operation name="slow"><call-query href="slow"/></operation>
  <operation name="deep"><call-query href="deep2"/></operation>
  <operation name="array"><call-query href="array"><with-param name="v" query-param="v"/></call-query></operation>
  <operation name="in"><call-query href="in"><with-param name="n" query-param="n"/></call-query></operation>
</data>`
}

// enveloped puts the body of a request into an envelope and sends it to a service.
func enveloped(service, version, body string) *http.Request {
	space, media := "http://schemas.xmlsoap.org/soap/envelope/", "text/xml"
	if version == "1.2" {
		space, media = "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"
	}
	return posted(Prefix+service, media, `<e:Envelope xmlns:e="`+space+`"><e:Body>`+body+`</e:Body></e:Envelope>`)
}

// everyWay calls an operation in each way in which it can be called.
func everyWay(service, operation, params string) map[string]*http.Request {
	element := "<" + operation + ">" + params + "</" + operation + ">"
	return map[string]*http.Request{
		"XML":      posted(Prefix+service+"/"+operation, "application/xml", element),
		"SOAP 1.1": enveloped(service, "1.1", element),
		"SOAP 1.2": enveloped(service, "1.2", element),
		"box":      posted(Prefix+service+"/request_box", "application/xml", "<request_box>"+element+"</request_box>"),
		"SOAP box": enveloped(service, "1.1", "<request_box>"+element+"</request_box>"),
	}
}

// What exceeds a bound of one service is refused there, however it comes, by a fault
// that names the setting; another service goes on.
func TestLimitsOfOneService(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	limits := func(service string) query.Limits {
		if service == "Small" {
			return query.Limits{Rows: 10, Depth: 1, Array: 3, Timeout: 150 * time.Millisecond}
		}
		return query.Limits{}
	}
	engine, err := query.New(query.Options{
		Sources:  source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: "sqlite:" + path}}}),
		LimitsOf: limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) {
		o.Opener = OpenWith(engine)
		o.Limits = func(service string) exchange.Limits {
			if service == "Small" {
				return exchange.Limits{MaxBody: 2000}
			}
			return exchange.Limits{}
		}
	})
	f.write("Small.dbs", bounded("Small"))
	f.write("Large.dbs", bounded("Large"))
	f.start()
	values := strings.Repeat("<v>7</v>", 4)
	for _, c := range []struct {
		operation, params string
		rest              int    // status over plain HTTP
		says              string // the fault, wherever
		large             bool   // the other service takes it
	}{
		{"rows", "<n>10</n>", 200, "", true},
		{"rows", "<n>11</n>", 500, "more than 10 rows (limits.rows)", true},
		{"deep", "", 500, "more than 1 queries nested in one another (limits.query_depth)", true},
		{"array", values, 400, "more than 3 values (limits.array_values)", true},
		{"array", strings.Repeat("<v>7</v>", 250), 413, "the body exceeds 2000 bytes (limits.body)", true},
		{"slow", "", 504, "the statement took too long", false},
	} {
		for way, r := range everyWay("Small", c.operation, c.params) {
			t.Run(fmt.Sprintf("%s/%d/%s", c.operation, c.rest, way), func(t *testing.T) {
				t.Parallel()
				w := httptest.NewRecorder()
				f.Handler().ServeHTTP(w, r)
				want := c.rest
				switch {
				case strings.HasPrefix(way, "SOAP 1.2") && want == 504, strings.HasPrefix(way, "SOAP") && !strings.Contains(way, "1.2") && want != 200 && want != 413:
					want = 500
				}
				if w.Code != want || !strings.Contains(w.Body.String(), c.says) {
					t.Errorf("%d %s, want %d with %q", w.Code, w.Body, want, c.says)
				}
			})
		}
		if !c.large {
			continue
		}
		for way, r := range everyWay("Large", c.operation, c.params) {
			w := httptest.NewRecorder()
			f.Handler().ServeHTTP(w, r)
			if w.Code != 200 {
				t.Errorf("%s, %s: the other service says %d %s", c.operation, way, w.Code, w.Body)
			}
		}
	}
	// What is called in process, as a task is, has the bounds of the query.
	for operation, v := range map[string]dataservice.Values{"rows": {"n": {"11"}}, "deep": nil, "array": {"v": {"1", "2", "3", "4"}}} {
		_, err := f.Invoke(t.Context(), dataservice.Call{Service: "Small", Operation: operation, Values: v, Caller: &dataservice.Principal{System: true}})
		var fault *dataservice.Fault
		if !errors.As(err, &fault) || !strings.Contains(fault.Message, "(limits.") {
			t.Errorf("%s in process: %v", operation, err)
		}
		if _, err := f.Invoke(t.Context(), dataservice.Call{Service: "Large", Operation: operation, Values: v}); err != nil {
			t.Errorf("%s in process: %v", operation, err)
		}
	}
}

// crowded is a host on which the operation "op" of two services waits until the
// test lets it go; limits are those of the service Small.
func crowded(t *testing.T, limits exchange.Limits) (f *fixture, running <-chan struct{}, letGo func()) {
	t.Helper()
	began, gone := make(chan struct{}, 100), make(chan struct{})
	f = newFixture(t, func(o *Options) {
		o.Limits = func(service string) exchange.Limits {
			if service == "Small" {
				return limits
			}
			return exchange.Limits{}
		}
	})
	f.opener.run = func(ctx context.Context, _ *dataservice.Service, r dataservice.Request, out result.Sink) (query.Outcome, error) {
		if r.Name == "op" {
			began <- struct{}{}
			select {
			case <-gone:
			case <-ctx.Done():
				return query.Outcome{}, ctx.Err()
			}
		}
		return query.Outcome{}, out.Leaf(result.Name{Local: "is"}, result.Value{Valid: true, Text: "x"})
	}
	for _, name := range []string{"Small", "Large"} {
		f.write(name+".dbs", strings.Replace(dbs(name, name), "<data ", `<data enableBoxcarring="true" `, 1))
	}
	f.start()
	return f, began, sync.OnceFunc(func() { close(gone) })
}

// busy tells whether an answer says that the client should come again.
func busy(w *httptest.ResponseRecorder, setting string) bool {
	return w.Code == 429 && w.Header().Get("Retry-After") == "1" && strings.Contains(w.Body.String(), setting)
}

// One request too many of a service is answered 429 at once, however it comes;
// another service, and calls in process, go on.
func TestConcurrencyOfOneService(t *testing.T) {
	t.Parallel()
	f, running, letGo := crowded(t, exchange.Limits{MaxRequests: 2})
	defer letGo()
	held := make(chan int, 2)
	for range 2 {
		go func() { held <- get(f.Handler(), "GET", Prefix+"Small/op").Code }()
		<-running
	}
	ways := everyWay("Small", "with", "")
	ways["WSDL"] = httptest.NewRequest(http.MethodGet, Prefix+"Small?wsdl", nil)
	ways["begin_boxcar"] = posted(Prefix+"Small/begin_boxcar", "application/xml", "<begin_boxcar/>")
	for way, r := range ways {
		w := httptest.NewRecorder()
		if f.Handler().ServeHTTP(w, r); !busy(w, "the service has 2 requests at the same time (limits.concurrency)") {
			t.Errorf("%s: %d %v %s", way, w.Code, w.Header(), w.Body)
		}
	}
	if w := get(f.Handler(), "GET", Prefix+"Large/with"); w.Code != 200 {
		t.Errorf("the other service: %d %s", w.Code, w.Body)
	}
	if _, err := f.Invoke(t.Context(), dataservice.Call{Service: "Small", Operation: "with"}); err != nil {
		t.Errorf("in process: %v", err)
	}
	letGo()
	if a, b := <-held, <-held; a != 200 || b != 200 {
		t.Errorf("those that were first: %d, %d", a, b)
	}
	if w := get(f.Handler(), "GET", Prefix+"Small/with"); w.Code != 200 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

// More requests of a service in a second than it may have are answered 429.
func TestRateOfOneService(t *testing.T) {
	t.Parallel()
	f, _, letGo := crowded(t, exchange.Limits{Rate: 1})
	defer letGo()
	// At one in a second the second request of two that follow each other is too
	// many, unless this machine takes a second for the first.
	refused := false
	for deadline := time.Now().Add(patience); !refused && time.Now().Before(deadline); {
		refused = busy(get(f.Handler(), "GET", Prefix+"Small/with"), "the service has had 1 requests in a second (limits.rate)")
	}
	if !refused {
		t.Error("nothing is refused")
	}
	for range 10 {
		if w := get(f.Handler(), "GET", Prefix+"Large/with"); w.Code != 200 {
			t.Errorf("the other service: %d %s", w.Code, w.Body)
		}
	}
}

// A request that takes longer than its service allows is given up: 504.
func TestTimeOfOneService(t *testing.T) {
	t.Parallel()
	f, _, letGo := crowded(t, exchange.Limits{Timeout: 20 * time.Millisecond})
	defer letGo()
	for way, r := range map[string]*http.Request{
		"GET": httptest.NewRequest(http.MethodGet, Prefix+"Small/op", nil), "SOAP 1.1": enveloped("Small", "1.1", "<op/>"), "SOAP 1.2": enveloped("Small", "1.2", "<op/>"),
	} {
		want := 500
		if way == "GET" {
			want = 504
		}
		w := httptest.NewRecorder()
		if f.Handler().ServeHTTP(w, r); w.Code != want || !strings.Contains(w.Body.String(), "the request took too long (limits.request_time)") {
			t.Errorf("%s: %d %s", way, w.Code, w.Body)
		}
	}
}
