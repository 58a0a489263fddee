package host

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"text/template"
	"unicode/utf16"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

var updateAttacks = flag.Bool("update-attacks", false, "write testdata/attacks.golden anew")

// attack is what the templates of testdata/attacks are filled with: the same file is
// a request's body, an envelope's and a descriptor.
type attack struct {
	Root, Begin, Text, End string
	Space                  string // of the envelope
	Secret                 string // a file that nobody may read
	Trap                   string // an address that nobody may call
}

const (
	space11 = "http://schemas.xmlsoap.org/soap/envelope/"
	space12 = "http://www.w3.org/2003/05/soap-envelope"
)

// attackWays are the ways in which a file gets in, in the order of the golden file.
var attackWays = []string{"REST", "REST box", "SOAP 1.1", "SOAP 1.2", "descriptor"}

var position = regexp.MustCompile(`malformed at \d+:\d+`)

// passedOver are what a descriptor may hold: editors leave such things there, and
// nothing is done with them.
var passedOver = []string{"54-stylesheet", "55-processing-instruction"}

func attackBy(way string) attack {
	inEnvelope := func(space string) attack {
		return attack{
			Root: "e:Envelope", Begin: `<e:Envelope xmlns:e="` + space + `"><e:Body><in>`, Text: "v", End: "</in></e:Body></e:Envelope>", Space: space,
		}
	}
	switch way {
	case "REST":
		return attack{Root: "in", Begin: "<in>", Text: "v", End: "</in>"}
	case "REST box":
		return attack{Root: "request_box", Begin: "<request_box><in>", Text: "v", End: "</in></request_box>"}
	case "SOAP 1.1":
		return inEnvelope(space11)
	case "SOAP 1.2":
		return inEnvelope(space12)
	}
	return attack{Root: "data", Begin: `<data name="Attack">`, Text: "description", End: "</data>"}
}

// attackWords are the functions of the templates.
var attackWords = template.FuncMap{
	"repeat": func(n int, s string) string { return strings.Repeat(s, n) },
	"numbered": func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	},
	// nest opens elements in one another, each with namespaces of its own.
	"nest": func(depth, declarations int) string {
		var b strings.Builder
		for i := range depth {
			b.WriteString("<a")
			for j := range declarations {
				fmt.Fprintf(&b, ` xmlns:p%d="u:%d.%d"`, j, i, j)
			}
			b.WriteString(">")
		}
		return b.String()
	},
	"bytes": func(digits string) (string, error) {
		raw, err := hex.DecodeString(digits)
		return string(raw), err
	},
}

// text fills in a template, in the encoding that its name says.
func (a attack) text(t *testing.T, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	of, err := template.New(filepath.Base(file)).Funcs(attackWords).Parse(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := of.Execute(&b, a); err != nil {
		t.Fatal(err)
	}
	units := utf16.Encode([]rune(b.String()))
	var out bytes.Buffer
	switch filepath.Ext(strings.TrimSuffix(file, ".xml")) {
	case ".utf16le":
		err = binary.Write(&out, binary.LittleEndian, units)
	case ".utf16be":
		err = binary.Write(&out, binary.BigEndian, units)
	case ".utf32":
		err = binary.Write(&out, binary.BigEndian, []rune(b.String()))
	default:
		return b.Bytes()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every file is refused, whichever way it gets in, for a reason that is told; and
// nothing else is harmed: no row is written, no file read, no address called, no
// memory taken, and the services go on.
//
// It measures memory, so that nothing may run beside it.
func TestXMLAttacks(t *testing.T) { //nolint:paralleltest // as said
	var called atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer trap.Close()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("top-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, rows := attacked(t)
	var told strings.Builder
	for _, pattern := range []string{"*.xml", "soap/*.xml"} {
		files, err := filepath.Glob(filepath.Join("testdata", "attacks", pattern))
		if err != nil || len(files) < 16 {
			t.Fatalf("%d files: %v", len(files), err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/attacks/"), ".xml")
			fmt.Fprintf(&told, "%s\n", name)
			for _, way := range attackWays {
				if strings.HasPrefix(name, "soap/") && !strings.HasPrefix(way, "SOAP") {
					continue
				}
				a := attackBy(way)
				a.Secret, a.Trap = secret, trap.URL
				text := a.text(t, file)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				status, said := f.send(way, text)
				runtime.ReadMemStats(&after)
				harmless := strings.Contains(name, "harmless") || way == "descriptor" && slices.Contains(passedOver, name)
				if n := rows(); n != 0 && !harmless {
					t.Errorf("%s by %s: %d rows are written", name, way, n)
				}
				if harmless == (status >= 400) {
					t.Errorf("%s by %s: %d %s", name, way, status, said)
				}
				if said == "" || len(said) > 300 || strings.Contains(said, "top-secret") || strings.Contains(said, secret) {
					t.Errorf("%s by %s says %q", name, way, said)
				}
				if taken := after.TotalAlloc - before.TotalAlloc; taken > 64<<20 {
					t.Errorf("%s by %s: %d MiB for %d bytes", name, way, taken>>20, len(text))
				}
				if bytes.Contains(text, []byte(trap.URL)) || bytes.Contains(text, []byte(secret)) {
					said = position.ReplaceAllString(said, "malformed at …") // those have other lengths each time
				}
				fmt.Fprintf(&told, "  %-10s %d  %s\n", way, status, said)
			}
		}
	}
	if n := called.Load(); n != 0 {
		t.Errorf("%d calls to elsewhere", n)
	}
	f.is("Good=/1")
	golden := filepath.Join("testdata", "attacks.golden")
	if *updateAttacks {
		if err := os.WriteFile(golden, []byte(told.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if told.String() != string(want) {
		t.Errorf("what is said is no longer what %s has: look at it with -update-attacks and git diff", golden)
	}
}

// attackedHost is a host with one service, whose operation "in" writes a row.
type attackedHost struct {
	*fixture
	pass *deployer
}

// attacked gives the host, and what counts the rows that were written and removes them.
func attacked(t *testing.T) (f attackedHost, rows func() int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec("create table canary (v text)"); err != nil {
		t.Fatal(err)
	}
	engine, err := query.New(query.Options{Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: "sqlite:" + path}}})})
	if err != nil {
		t.Fatal(err)
	}
	f.fixture = newFixture(t, func(o *Options) { o.Opener = OpenWith(engine) })
	f.write("Good.dbs", `<data name="Good" serviceNamespace="urn:g" enableBoxcarring="true">
  <config id="c"><property name="driverClassName">x</property><property name="url">jdbc:sqlite:x</property></config>
  <query id="in" useConfig="c"><sql>insert into canary values (:v)</sql><param name="v" sqlType="STRING"/></query>
  <operation name="in" returnRequestStatus="true"><call-query href="in"><with-param name="v" query-param="v"/></call-query></operation>
</data>`)
	f.pass = f.steps()
	t.Cleanup(func() { _ = f.Stop(t.Context()) })
	return f, func() int64 {
		r, err := db.Exec("delete from canary")
		if err != nil {
			t.Fatal(err)
		}
		n, _ := r.RowsAffected()
		return n
	}
}

// send gives what is said of an attack, and as which status; of a descriptor, 400 if
// it is refused.
func (f attackedHost) send(way string, text []byte) (status int, said string) {
	at, media := Prefix+"Good/in", "application/xml"
	switch way {
	case "descriptor":
		return f.deployed(text)
	case "REST box":
		at = Prefix + "Good/request_box"
	case "SOAP 1.1":
		at, media = Prefix+"Good", "text/xml"
	case "SOAP 1.2":
		at, media = Prefix+"Good", "application/soap+xml"
	}
	r := posted(at, media, string(text))
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		return w.Code, "done"
	}
	return w.Code, faultOf(w.Body.Bytes())
}

// deployed puts a descriptor into the folder and takes it away again.
func (f attackedHost) deployed(text []byte) (status int, said string) {
	f.write("Attack.dbs", string(text))
	f.pass.pass(f.t.Context())
	defer func() {
		f.remove("Attack.dbs")
		f.pass.pass(f.t.Context())
	}()
	for _, v := range f.Services() {
		switch {
		case v.Name != "Attack":
		case v.Error != "":
			first, _, _ := strings.Cut(strings.TrimPrefix(v.Error, f.dir+"/"), "\n")
			return http.StatusBadRequest, first
		default:
			return http.StatusOK, "deployed"
		}
	}
	return 0, ""
}

// faultOf gives the message of a fault in JSON or in an envelope, with SOAP's code.
func faultOf(body []byte) string {
	var plain struct {
		Fault struct {
			String string `json:"faultstring"`
		}
	}
	if json.Unmarshal(body, &plain) == nil {
		return plain.Fault.String
	}
	var e struct {
		Fault struct {
			Code   string `xml:"faultcode"`
			String string `xml:"faultstring"`
			Code12 string `xml:"Code>Value"`
			Reason string `xml:"Reason>Text"`
		} `xml:"Body>Fault"`
	}
	if err := xml.Unmarshal(body, &e); err != nil {
		return ""
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(e.Fault.String+e.Fault.Reason, "DS Fault Message: "), "\n")
	return strings.TrimPrefix(e.Fault.Code+e.Fault.Code12, "soapenv:") + ": " + text
}
