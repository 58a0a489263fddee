package query_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// sampleDB makes the samples' database on SQLite and gives its path.
func sampleDB(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "samples.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)")
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range sampleSQL(tb, sqliteSQL) {
		if _, err := tx.Exec(s); err != nil {
			tb.Fatalf("%s: %v", s, err)
		}
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// rig is an engine with a service on a database.
type rig struct {
	tb     testing.TB
	engine *query.Engine
	rt     *query.Runtime
	svc    *dataservice.Service
}

// newRig opens a service of the corpus with all its sources sent to url.
func newRig(tb testing.TB, name, url string, hook dataservice.Hook, change func(*query.Options)) *rig {
	tb.Helper()
	return rigOf(tb, load(tb, name), url, hook, change)
}

func rigOf(tb testing.TB, svc *dataservice.Service, url string, hook dataservice.Hook, change func(*query.Options)) *rig {
	tb.Helper()
	o := query.Options{Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: url}}})}
	if change != nil {
		change(&o)
	}
	e, err := query.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	rt, err := e.Open(tb.Context(), svc, hook)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := rt.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &rig{tb: tb, engine: e, rt: rt, svc: svc}
}

// request makes the request of an operation or resource.
func (r *rig) request(name string, v dataservice.Values) dataservice.Request {
	r.tb.Helper()
	if o := r.svc.Operation(name); o != nil {
		return dataservice.Request{Name: name, Target: o.Call, Values: v, Status: o.ReturnStatus}
	}
	for _, res := range r.svc.Resources {
		if res.Name() == name {
			return dataservice.Request{Name: name, Target: res.Call, Values: v, Status: res.ReturnStatus}
		}
	}
	r.tb.Fatalf("no operation or resource %q", name)
	return dataservice.Request{}
}

// xml runs a request and gives its XML.
func (r *rig) xml(name string, v dataservice.Values) (string, error) {
	r.tb.Helper()
	var b bytes.Buffer
	w := result.NewXML(&b, 0)
	_, err := r.rt.Run(r.tb.Context(), r.request(name, v), w)
	if err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (r *rig) json(name string, v dataservice.Values) (string, error) {
	r.tb.Helper()
	var b bytes.Buffer
	w := result.NewJSON(&b, 0)
	_, err := r.rt.Run(r.tb.Context(), r.request(name, v), w)
	if err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return b.String(), nil
}

// one makes values of single ones, from names and values in turn.
func one(pairs ...string) dataservice.Values {
	v := dataservice.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i]] = []string{pairs[i+1]}
	}
	return v
}
