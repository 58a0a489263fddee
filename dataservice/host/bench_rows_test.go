package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

const manyRowsService = `<data name="Many">
  <config id="default"><property name="driverClassName">x</property><property name="url">jdbc:sqlite:x</property></config>
  <query id="q" useConfig="default"><sql>select id, name, note, amount, price from items where id &lt;= :n</sql>
    <param name="n" sqlType="INTEGER"/>
    <result element="Items" rowName="Item">
      <element name="id" column="id" xsdType="integer"/>
      <element name="name" column="name" xsdType="string"/>
      <element name="note" column="note" xsdType="string"/>
      <element name="amount" column="amount" xsdType="integer"/>
      <element name="price" column="price" xsdType="double"/>
    </result>
  </query>
  <operation name="items"><call-query href="q"><with-param name="n" query-param="n"/></call-query></operation>
</data>`

// BenchmarkRows compares answers of 1 to 100,000 rows with a bare handler on the
// same driver, database and statement: requests per second over loopback, and
// what both allocate and hold at most, handlers alone.
func BenchmarkRows(b *testing.B) {
	path := filepath.Join(b.TempDir(), "items.db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxIdleConns(8)
	if _, err := db.Exec(`create table items (id integer primary key, name text, note text, amount integer, price real);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
		insert into items select i, 'item ' || i, 'a "note" of some length', i * 7, i * 0.25 from n`); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Many.dbs"), []byte(manyRowsService), 0o644); err != nil {
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
	service := httptest.NewServer(h.Handler())
	defer service.Close()
	bare := httptest.NewServer(bareItems(db))
	defer bare.Close()
	for _, n := range []int{1, 10, 1000, 100_000} {
		at := fmt.Sprintf("?n=%d", n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			compare(b, max(4, min(200, 20_000/n)), overLoopback(service.URL+"/services/Many/items"+at), overLoopback(bare.URL+at))
			ours, oursPeak := memory(b, h.Handler(), "/services/Many/items"+at, n)
			theirs, theirsPeak := memory(b, bareItems(db), "/"+at, n)
			b.ReportMetric(ours/theirs, "alloc-ratio")
			b.ReportMetric(oursPeak/1024, "peak-KiB")
			b.ReportMetric(theirsPeak/1024, "bare-peak-KiB")
		})
	}
}

// bareItems answers the same as the service, as one would write it by hand.
func bareItems(db *sql.DB) http.HandlerFunc {
	type item struct {
		ID     int64   `json:"id"`
		Name   string  `json:"name"`
		Note   string  `json:"note"`
		Amount int64   `json:"amount"`
		Price  float64 `json:"price"`
	}
	return func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(), "select id, name, note, amount, price from items where id <= ?", r.URL.Query().Get("n"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer rows.Close()
		var list []item
		for rows.Next() {
			var i item
			if err := rows.Scan(&i.ID, &i.Name, &i.Note, &i.Amount, &i.Price); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			list = append(list, i)
		}
		if err := rows.Err(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"Items": map[string]any{"Item": list}})
	}
}

// nowhere is a client that takes an answer and keeps nothing of it.
type nowhere struct {
	header http.Header
	status int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(status int)      { w.status = status }
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }

// memory gives what a handler allocates for one answer, and the most that it held
// beyond what there was before.
func memory(b *testing.B, h http.Handler, target string, rows int) (allocated, peak float64) {
	b.Helper()
	rounds := max(1, min(50, 100_000/rows))
	ask := func() {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Accept", "application/json")
		w := &nowhere{header: http.Header{}, status: http.StatusOK}
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
	}
	ask()
	runtime.GC()
	held := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(held)
	before := held[0].Value.Uint64()
	var most atomic.Uint64
	done, sampled := make(chan struct{}), make(chan struct{})
	go func() { // ends with done
		defer close(sampled)
		for {
			metrics.Read(held)
			most.Store(max(most.Load(), held[0].Value.Uint64()))
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	var one, two runtime.MemStats
	runtime.ReadMemStats(&one)
	for range rounds {
		ask()
	}
	runtime.ReadMemStats(&two)
	close(done)
	<-sampled
	return float64(two.TotalAlloc-one.TotalAlloc) / float64(rounds), float64(max(most.Load(), before) - before)
}
