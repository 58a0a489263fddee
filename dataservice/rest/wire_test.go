package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
)

func TestLongAnswers(t *testing.T) {
	t.Parallel()
	failure := errors.New("the connection was lost")
	for _, c := range []struct {
		what   string
		run    runnerFunc
		opts   exchange.Options
		status int // 0: the connection breaks
		length bool
	}{
		{"short", rows(10, nil), exchange.Options{}, 200, true},
		{"long", rows(500, nil), exchange.Options{}, 200, false},
		{"short and failing", rows(10, failure), exchange.Options{}, 500, true},
		{"long and failing", rows(500, failure), exchange.Options{}, 0, false},
		{"too long, short of the buffer", rows(50, nil), exchange.Options{Limits: exchange.Limits{MaxAnswer: 20_000}}, 500, true},
		{"too long, beyond the buffer", rows(500, nil), exchange.Options{Limits: exchange.Limits{MaxAnswer: 300_000}}, 0, false},
		{"panicking late", func(ctx context.Context, c dataservice.Request, out result.Sink) (bool, error) {
			_, _ = rows(500, failure)(ctx, c, out)
			panic("late")
		}, exchange.Options{}, 0, false},
	} {
		e := open(c.run, c.opts)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.Serve(w, r, []string{"getProduct"}, nil) }))
		resp, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		server.Close()
		if (err != nil) != (c.status == 0) {
			t.Errorf("%s: %d bytes, %v", c.what, len(body), err)
		}
		if c.status != 0 && (resp.StatusCode != c.status || (resp.ContentLength >= 0) != c.length) {
			t.Errorf("%s: %d of %d bytes", c.what, resp.StatusCode, resp.ContentLength)
		}
	}
}

func TestNamesDoNotForgeLogLines(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	e := open(echo, exchange.Options{Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	e.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil), []string{"a\nlevel=ERROR msg=forged"}, nil)
	ask(t, e, "POST", "setProduct", "{\"a\\nlevel=ERROR\":[{}]}", "Content-Type", asJSON)
	if strings.Count(logged.String(), "\n") != 2 || strings.Count(logged.String(), "level=DEBUG msg=\"request refused\"") != 2 {
		t.Errorf("logged %q", &logged)
	}
}

// TestBodiesOnTheWire sends bodies whose length is not known before.
func TestBodiesOnTheWire(t *testing.T) {
	t.Parallel()
	e := open(echo, exchange.Options{Limits: exchange.Limits{MaxBody: 1000}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.Serve(w, r, []string{"getProduct"}, nil) }))
	defer server.Close()
	for _, c := range []struct {
		what   string
		body   io.Reader
		status int
	}{
		{"chunked", io.MultiReader(strings.NewReader("code"), strings.NewReader("=S10")), 200},
		{"chunked and empty", io.MultiReader(), 200},
		{"chunked and endless", endless{}, 413},
	} {
		resp, err := server.Client().Post(server.URL, asForm, c.body)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || c.what == "chunked" && !strings.Contains(string(text), "<code>S10</code>") {
			t.Errorf("%s: %d %s, %v", c.what, resp.StatusCode, text, err)
		}
	}
}

// endless is a body that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
