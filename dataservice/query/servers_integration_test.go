//go:build integration

package query_test

import (
	"errors"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	suite(t, sourcetest.StartPostgres(t))
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	suite(t, sourcetest.StartMariaDB(t))
}

// TestServerDies kills the database server inside a firing's transaction.
func TestServerDies(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *sourcetest.Server{
		"postgres": sourcetest.StartPostgres, "mariadb": sourcetest.StartMariaDB,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			p := newPlace(t, server)
			b, inside, thaw := frozen()
			defer thaw()
			r := p.rig("EventingSample", b, nil)
			req := r.fireReq("updateProductQuantity", "f", time.Now(), one("productCode", "S10_1678", "quantityInStock", "5"))
			failed := make(chan error, 1)
			go func() { // ends when it is thawed
				_, err := r.rt.Run(t.Context(), req, drop{})
				failed <- err
			}()
			<-inside
			server.Kill(t)
			thaw()
			var f *dataservice.Fault
			if err := <-failed; !errors.As(err, &f) || errors.Is(err, query.ErrRecorded) {
				t.Errorf("the firing whose database died: %v", err)
			}
			_, err := r.rt.Run(t.Context(), req, drop{})
			wantFault(t, err, dataservice.FaultUnreachable)
			server.Restart(t)
			o, err := r.rt.Run(t.Context(), req, drop{})
			if err != nil || o.Replayed {
				t.Fatalf("%+v, %v (%v)", o, err, errors.Unwrap(err))
			}
			p.db = server.Open(t) // the old pool's connections are dead
			if got := p.number("SELECT quantityInStock FROM Products WHERE productCode='S10_1678'"); got != 5 {
				t.Errorf("quantity %v, want 5", got)
			}
		})
	}
}
