package host

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// BenchmarkSOAP compares SOAP with the same answer as XML over plain HTTP, handlers
// alone: the ratio is what reading and writing envelopes leaves.
func BenchmarkSOAP(b *testing.B) {
	path := samplesDB(b, corpus(b))
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Ten.dbs"), []byte(tenRowsService), 0o644); err != nil {
		b.Fatal(err)
	}
	engine, err := query.New(query.Options{Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: "sqlite:" + path}}})})
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Options{Dir: dir, Opener: OpenWith(engine)})
	if err != nil {
		b.Fatal(err)
	}
	if err := h.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer h.Stop(context.Background())
	const envelope = `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><ten/></e:Body></e:Envelope>`
	call := func(method, target, body, media string) func() error {
		return func() error {
			r := httptest.NewRequest(method, target, strings.NewReader(body))
			r.Header.Set("Content-Type", media)
			w := httptest.NewRecorder()
			h.Handler().ServeHTTP(w, r)
			return whole(w.Code, int64(w.Body.Len()), nil)
		}
	}
	compare(b, 200, call(http.MethodPost, "/services/Ten", envelope, "text/xml"), call(http.MethodGet, "/services/Ten/ten", "", "application/xml"))
}
