package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// tenRows is what both sides answer: ten rows of five columns.
const tenRows = "select productCode, productName, productLine, quantityInStock, buyPrice from Products order by productCode limit 10"

const tenRowsService = `<data name="Ten">
  <config id="default"><property name="driverClassName">x</property><property name="url">jdbc:sqlite:x</property></config>
  <query id="q" useConfig="default"><sql>` + tenRows + `</sql>
    <result element="Products" rowName="Product">
      <element name="productCode" column="productCode" xsdType="string"/>
      <element name="productName" column="productName" xsdType="string"/>
      <element name="productLine" column="productLine" xsdType="string"/>
      <element name="quantityInStock" column="quantityInStock" xsdType="integer"/>
      <element name="buyPrice" column="buyPrice" xsdType="double"/>
    </result>
  </query>
  <operation name="ten"><call-query href="q"/></operation>
</data>`

// bareHandler answers the same as the service, as one would write it by hand.
func bareHandler(db *sql.DB) http.HandlerFunc {
	type product struct {
		Code  string  `json:"productCode"`
		Name  string  `json:"productName"`
		Line  string  `json:"productLine"`
		Stock int64   `json:"quantityInStock"`
		Price float64 `json:"buyPrice"`
	}
	return func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(), tenRows)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer rows.Close()
		var list []product
		for rows.Next() {
			var p product
			if err := rows.Scan(&p.Code, &p.Name, &p.Line, &p.Stock, &p.Price); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			list = append(list, p)
		}
		if err := rows.Err(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"Products": map[string]any{"Product": list}})
	}
}

// BenchmarkTenRows measures a service and a bare handler on the same driver and
// database, and prints their ratio: over loopback with kept connections, and the
// handlers alone.
func BenchmarkTenRows(b *testing.B) {
	path := samplesDB(b, corpus(b))
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Ten.dbs"), []byte(tenRowsService), 0o644); err != nil {
		b.Fatal(err)
	}
	set := source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: "sqlite:" + path}}})
	engine, err := query.New(query.Options{Sources: set})
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
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxIdleConns(8) // the default of two would open files all the time

	service := httptest.NewServer(h.Handler())
	defer service.Close()
	bare := httptest.NewServer(bareHandler(db))
	defer bare.Close()
	b.Run("loopback", func(b *testing.B) {
		compare(b, 200, overLoopback(service.URL+"/services/Ten/ten"), overLoopback(bare.URL))
	})
	b.Run("handler", func(b *testing.B) {
		compare(b, 200, alone(h.Handler(), "/services/Ten/ten"), alone(bareHandler(db), "/"))
	})
}

// compare lets both sides make bursts of requests in turns, so that what else
// the machine does weighs on both.
func compare(b *testing.B, turn int, ours, theirs func() error) {
	b.Helper()
	var a, z []time.Duration
	var aTook, zTook time.Duration
	for b.Loop() {
		d, took := burst(b, ours, turn)
		a, aTook = append(a, d...), aTook+took
		d, took = burst(b, theirs, turn)
		z, zTook = append(z, d...), zTook+took
	}
	rate := func(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }
	b.ReportMetric(rate(len(a), aTook), "req/s")
	b.ReportMetric(rate(len(z), zTook), "bare-req/s")
	b.ReportMetric(rate(len(a), aTook)/rate(len(z), zTook), "ratio")
	b.ReportMetric(float64(p99(a).Microseconds()), "p99-µs")
	b.ReportMetric(float64(p99(z).Microseconds()), "bare-p99-µs")
}

// burst makes n requests from four clients and gives how long each took.
func burst(b *testing.B, request func() error, n int) ([]time.Duration, time.Duration) {
	b.Helper()
	const clients = 4
	took := make([]time.Duration, n)
	began := time.Now()
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for i := c; i < n; i += clients {
				start := time.Now()
				if err := request(); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(start)
			}
		})
	}
	all.Wait()
	return took, time.Since(began)
}

// keeping is a client that keeps its connections.
var keeping = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8, DialContext: (&net.Dialer{}).DialContext}}

func overLoopback(url string) func() error {
	return func() error {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Accept", "application/json")
		resp, err := keeping.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		return whole(resp.StatusCode, n, err)
	}
}

// alone calls a handler without a network.
func alone(h http.Handler, path string) func() error {
	return func() error {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return whole(w.Code, int64(w.Body.Len()), nil)
	}
}

// whole checks that an answer is what it should be, as far as its size tells.
func whole(status int, n int64, err error) error {
	if err == nil && (status != http.StatusOK || n < 50) {
		err = fmt.Errorf("status %d, %d bytes", status, n)
	}
	return err
}

func p99(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)*99/100]
}
