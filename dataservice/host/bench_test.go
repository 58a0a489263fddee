package host

import (
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
// database, over loopback with kept connections, and prints their ratio.
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
	defer h.Stop(b.Context())
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()

	service := httptest.NewServer(h.Handler())
	defer service.Close()
	bare := httptest.NewServer(bareHandler(db))
	defer bare.Close()
	// In turns, so that what else the machine does weighs on both.
	var ours, theirs []time.Duration
	var oursTook, theirsTook time.Duration
	const turn = 200
	for b.Loop() {
		d, took := burst(b, service.URL+"/services/Ten/ten", turn)
		ours, oursTook = append(ours, d...), oursTook+took
		d, took = burst(b, bare.URL, turn)
		theirs, theirsTook = append(theirs, d...), theirsTook+took
	}
	rate := func(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }
	b.ReportMetric(rate(len(ours), oursTook), "req/s")
	b.ReportMetric(rate(len(theirs), theirsTook), "bare-req/s")
	b.ReportMetric(rate(len(ours), oursTook)/rate(len(theirs), theirsTook), "ratio")
	b.ReportMetric(float64(p99(ours).Microseconds()), "p99-µs")
	b.ReportMetric(float64(p99(theirs).Microseconds()), "bare-p99-µs")
}

// burst makes n requests from four clients and gives how long each took.
func burst(b *testing.B, url string, n int) ([]time.Duration, time.Duration) {
	b.Helper()
	const clients = 4
	took := make([]time.Duration, n)
	began := time.Now()
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for i := c; i < n; i += clients {
				start := time.Now()
				if err := request(url); err != nil {
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

func request(url string) error {
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
	if err == nil && (resp.StatusCode != http.StatusOK || n < 1000) {
		err = fmt.Errorf("%s: %d, %d bytes", url, resp.StatusCode, n)
	}
	return err
}

func p99(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)*99/100]
}
