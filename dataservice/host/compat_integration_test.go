//go:build integration

package host

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// callee is an operation or a resource of a descriptor.
type callee struct {
	service *dataservice.Service
	name    string // "operation x" or "GET path"
	soap    string // what SOAP calls it
	method  string // empty: an operation
	path    string
	call    *dataservice.CallQuery
	values  dataservice.Values
	lines   string
	inner   []*callee // of a batch or a box: the calls in it
}

// answer is what a call came to.
type answer struct {
	status int
	body   string
}

// transport is a way to call.
type transport struct {
	name string
	send func(base string, c *callee) (*http.Request, error)
}

var transports = []transport{
	{"REST JSON", func(base string, c *callee) (*http.Request, error) { return restRequest(base, c, "application/json") }},
	{"REST XML", func(base string, c *callee) (*http.Request, error) { return restRequest(base, c, "application/xml") }},
	{"SOAP 1.1", func(base string, c *callee) (*http.Request, error) {
		return soapRequest(base, c, "http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8")
	}},
	{"SOAP 1.2", func(base string, c *callee) (*http.Request, error) {
		return soapRequest(base, c, "http://www.w3.org/2003/05/soap-envelope", `application/soap+xml; charset=utf-8; action="urn:`+c.soap+`"`)
	}},
}

// databases are those that the corpus is served from.
var databases = []struct {
	name  string
	start func(testing.TB) *sourcetest.Server
}{
	{"SQLite", sourcetest.OpenSQLite}, {"PostgreSQL", sourcetest.StartPostgres}, {"MariaDB", sourcetest.StartMariaDB},
}

// TestCompatibility deploys every descriptor of the corpus and calls all that it
// describes with valid input: over REST and SOAP, on three databases. What they
// answer stands in testdata/compatibility, one file a descriptor, and whether it
// works in docs/compatibility.md; -update writes both anew.
func TestCompatibility(t *testing.T) {
	t.Parallel()
	wso2 := corpus(t)
	results := make([]map[string]answer, len(databases)*len(transports))
	var all []*callee
	var notices map[string][]string
	var wait sync.WaitGroup
	for i, db := range databases {
		server := db.start(t)
		for j, via := range transports {
			f := compatible(t, wso2, server, fmt.Sprintf("t%d", j))
			list := callees(t, f, wso2)
			if all == nil {
				all, notices = list, noticesOf(f)
			}
			wait.Go(func() { results[i*len(transports)+j] = callAll(t, f, via, list) })
		}
	}
	wait.Wait()
	if len(all) < 100 {
		t.Fatalf("%d operations and resources: is this the corpus?", len(all))
	}
	at := func(db, via int, c *callee) answer { return results[db*len(transports)+via][c.key()] }
	writeGolden(t, all, at)
	page := compatibilityPage(all, notices, at)
	file := "../../docs/compatibility.md"
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have, err := os.ReadFile(file); err != nil || string(have) != page {
		t.Errorf("%s is not what was seen (%v): run this test with -update and read the difference", file, err)
	}
}

// compatible is a host with the whole corpus, on databases of its own.
func compatible(t *testing.T, wso2 string, server *sourcetest.Server, name string) *fixture {
	t.Helper()
	samples, bank, cart := server.Database(t, name+"a"), server.Database(t, name+"b"), server.Database(t, name+"c")
	loadSQL(t, samples, samplesSQL(t, wso2)...)
	loadSQL(t, bank, bankSQL(t, wso2)...)
	loadSQL(t, cart, shop)
	dir := t.TempDir()
	resources := filepath.Join(dir, "samples", "data-services", "resources")
	if err := os.MkdirAll(filepath.Dir(resources), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(resources, os.DirFS(filepath.Join(wso2, "data"))); err != nil {
		t.Fatal(err)
	}
	set := source.NewSet(source.Options{Dir: dir, Files: source.Files{Folder: dir}, Mappings: []source.Mapping{
		{Match: "jdbc:h2:*SAMP2", URL: bank.URL},
		{Match: "jdbc:h2:*SHOPPING*", URL: cart.URL},
		{Match: "jdbc:h2:*", URL: samples.URL},
		{Match: "jdbc:mysql:*", URL: samples.URL},
	}})
	engine, err := query.New(query.Options{Sources: set})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) { o.Opener = OpenWith(engine) })
	files, err := filepath.Glob(filepath.Join(wso2, "descriptors", "*.dbs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f.write(filepath.Base(file), string(text))
	}
	f.start()
	return f
}

// callees lists what the deployed descriptors describe, in their order.
func callees(t *testing.T, f *fixture, wso2 string) []*callee {
	t.Helper()
	var list []*callee
	for _, view := range f.Services() {
		s, ok := f.Service(view.Name)
		if !ok {
			t.Errorf("%s is not deployed: %s", view.File, view.Error)
			continue
		}
		for _, o := range s.Operations {
			list = append(list, &callee{service: s, name: "operation " + o.Name, soap: o.Name, path: o.Name, call: &o.Call, lines: linesOf(s, o.Position, &o.Call)})
		}
		for _, r := range s.Resources {
			list = append(list, &callee{service: s, name: r.Name(), soap: r.RequestName(), method: r.Method, path: r.Path, call: &r.Call, lines: linesOf(s, r.Position, &r.Call)})
		}
	}
	for i, c := range list {
		c.values = inputs(c.service, c.call, i+1)
	}
	return many(list)
}

// many adds, behind each service's own, a batch of what can be one, and a box
// that holds all of the service's operations.
func many(own []*callee) []*callee {
	var list []*callee
	for i, c := range own {
		list = append(list, c)
		if i+1 < len(own) && own[i+1].service == c.service {
			continue
		}
		box := &callee{service: c.service, name: dataservice.RequestBox, soap: dataservice.RequestBox, path: dataservice.RequestBox, lines: "1"}
		for _, o := range own {
			if o.service != c.service {
				continue
			}
			if o.method == "" {
				again := *o
				again.values = inputs(o.service, o.call, len(own)+len(list))
				box.inner = append(box.inner, &again)
			}
			if c.service.Batches(o.call) {
				one, two := *o, *o
				one.values, two.values = inputs(o.service, o.call, 2*len(own)+len(list)), inputs(o.service, o.call, 3*len(own)+len(list))
				list = append(list, &callee{
					service: o.service, name: o.name + dataservice.BatchSuffix, soap: o.soap + dataservice.BatchSuffix, method: o.method,
					path: o.path + dataservice.BatchSuffix, lines: o.lines, inner: []*callee{&one, &two},
				})
			}
		}
		if c.service.Boxcarring {
			list = append(list, box)
		}
	}
	return list
}

// linesOf names the lines of the descriptor that an answer's shape follows from.
func linesOf(s *dataservice.Service, at dataservice.Position, c *dataservice.CallQuery) string {
	lines := []string{fmt.Sprint(at.Line)}
	seen := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		q := s.Query(id)
		if q == nil || seen[id] {
			return
		}
		seen[id] = true
		text := fmt.Sprintf("%d (%s", q.Line, q.ID)
		if q.Result != nil {
			text += fmt.Sprintf(", its result %d", q.Result.Line)
		}
		lines = append(lines, text+")")
		for n := range q.Nested() {
			visit(n.Query)
		}
	}
	visit(c.Query)
	return strings.Join(lines, ", ")
}

func (c *callee) key() string { return c.service.Name + " " + c.name }

// callAll calls everything in turn.
func callAll(t *testing.T, f *fixture, via transport, list []*callee) map[string]answer {
	server := httptest.NewServer(f.Handler())
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	got := map[string]answer{}
	for _, c := range list {
		req, err := via.send(server.URL, c)
		if err != nil {
			t.Error(err)
			continue
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s over %s: %v", c.key(), via.name, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // what matters is what was read
		if err != nil {
			t.Errorf("%s over %s: %v", c.key(), via.name, err)
		}
		got[c.key()] = answer{resp.StatusCode, strings.TrimSpace(string(body))}
	}
	return got
}

var pathVariable = regexp.MustCompile(`\{(\w+)\}`)

// restRequest asks for JSON or XML, and says its parameters in the same.
func restRequest(base string, c *callee, media string) (*http.Request, error) {
	rest := maps.Clone(c.values)
	path := pathVariable.ReplaceAllStringFunc(c.path, func(v string) string {
		name := strings.Trim(v, "{}")
		value := rest[name][0]
		delete(rest, name)
		return url.PathEscape(value)
	})
	to, method := base+Prefix+c.service.Name+"/"+strings.TrimPrefix(path, "/"), c.method
	if method == "" {
		method = http.MethodPost
	}
	var body io.Reader
	switch {
	case method == http.MethodGet && len(rest) > 0:
		to += "?" + url.Values(rest).Encode()
	case method == http.MethodGet:
	case media == "application/json":
		body = strings.NewReader("{" + object(c, rest) + "}")
	default:
		body = strings.NewReader(element(c, "", rest))
	}
	req, err := http.NewRequest(method, to, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", media)
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	return req, nil
}

// object writes a call as a member of a JSON object. Calls of one name in a row
// are an array.
func object(c *callee, v dataservice.Values) string {
	var members []string
	for i, one := range c.inner {
		text := object(one, one.values)
		if i > 0 && c.inner[i-1].soap == one.soap {
			last := &members[len(members)-1]
			name, value, _ := strings.Cut(*last, ":")
			_, next, _ := strings.Cut(text, ":")
			*last = name + ":[" + value + "," + next + "]"
			continue
		}
		members = append(members, text)
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		value, _ := json.Marshal(v[name][0]) // text always can be
		if len(v[name]) > 1 {
			value, _ = json.Marshal(v[name])
		}
		members = append(members, fmt.Sprintf("%q:%s", name, value))
	}
	return fmt.Sprintf("%q:{%s}", c.soap, strings.Join(members, ","))
}

// element writes a call as XML, in a namespace if there is one.
func element(c *callee, space string, v dataservice.Values) string {
	var b strings.Builder
	tag := c.soap
	if space != "" {
		tag = "p:" + c.soap
	}
	b.WriteString("<" + tag)
	if space != "" {
		fmt.Fprintf(&b, " xmlns:p=%q", space)
	}
	b.WriteString(">")
	for _, one := range c.inner {
		b.WriteString(element(one, space, one.values))
	}
	for _, param := range slices.Sorted(maps.Keys(v)) {
		inner := strings.Replace(tag, c.soap, param, 1)
		for _, value := range v[param] {
			b.WriteString("<" + inner + ">")
			_ = xml.EscapeText(&b, []byte(value)) // memory does not fail
			b.WriteString("</" + inner + ">")
		}
	}
	b.WriteString("</" + tag + ">")
	return b.String()
}

func soapRequest(base string, c *callee, envelope, media string) (*http.Request, error) {
	text := `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="` + envelope + `"><e:Body>` + element(c, c.service.Namespace, c.values) + `</e:Body></e:Envelope>`
	req, err := http.NewRequest(http.MethodPost, base+Prefix+c.service.Name, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", media)
	if strings.HasPrefix(media, "text/xml") {
		req.Header.Set("SOAPAction", `"urn:`+c.soap+`"`)
	}
	return req, nil
}
