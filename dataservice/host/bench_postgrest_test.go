package host

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// BenchmarkPostgREST compares answers of 1 to 100,000 rows with those of PostgREST
// from the same table of the same PostgreSQL server, over loopback. It runs where
// postgrest is on the PATH, and says so where it is not.
func BenchmarkPostgREST(b *testing.B) {
	program, err := exec.LookPath("postgrest")
	if err != nil {
		b.Skip("NOT MEASURED: postgrest is not installed (not on the PATH), so there is no comparison with it")
	}
	server := sourcetest.StartPostgres(b)
	db := server.Open(b)
	for _, statement := range []string{
		"create table items (id integer primary key, name text, note text, amount integer, price float8)",
		"insert into items select i, 'item ' || i, 'a \"note\" of some length', i * 7, i * 0.25 from generate_series(1, 100000) as n(i)",
		"analyze items",
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	theirs := startPostgREST(b, program, server)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Many.dbs"), []byte(manyRowsService), 0o600); err != nil {
		b.Fatal(err)
	}
	engine, err := query.New(query.Options{Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: server.URL}}})})
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
	for _, n := range []int{1, 10, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			compare(b, max(4, min(200, 20_000/n)),
				overLoopback(fmt.Sprintf("%s/services/Many/items?n=%d", service.URL, n)),
				overLoopback(fmt.Sprintf("%s/items?id=lte.%d&select=id,name,note,amount,price", theirs, n)))
		})
	}
}

// poolSize is what both sides may have open, which is a service's default.
const poolSize = 10

// startPostgREST starts the program on a database, and gives its address when it
// answers. It ends with the benchmark.
func startPostgREST(b *testing.B, program string, server *sourcetest.Server) string {
	b.Helper()
	free, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		b.Fatal(err)
	}
	var said strings.Builder
	cmd := exec.CommandContext(b.Context(), program)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = append(os.Environ(),
		"PGRST_DB_URI="+server.DSN, "PGRST_DB_SCHEMAS=public", "PGRST_DB_ANON_ROLE=belfry", "PGRST_DB_POOL="+strconv.Itoa(poolSize),
		"PGRST_SERVER_HOST=127.0.0.1", "PGRST_SERVER_PORT="+strconv.Itoa(port), "PGRST_LOG_LEVEL=crit")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	for deadline := time.Now().Add(patience); ; {
		if resp, err := http.Get(address + "/items?limit=1"); err == nil { //nolint:noctx // it ends with the server
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return address
			}
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			b.Fatalf("postgrest does not answer:\n%s", said.String())
		}
		<-time.After(50 * time.Millisecond)
	}
}
