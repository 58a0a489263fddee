package host

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/seed42aab489/belfry/dataservice"
)

// TestOpenAPI: the documents of the whole corpus are valid, have all that is
// served, and what is asked and answered is as they say.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "descriptors", "*.dbs"))
	if err != nil || len(files) < 25 {
		t.Fatalf("%d descriptors: %v", len(files), err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".dbs"))
	}
	f := samples(t, names...)
	judged := 0
	for _, v := range f.Services() {
		s, ok := f.Service(v.Name)
		if !ok {
			t.Fatalf("%s is not deployed: %s", v.Name, v.Error)
		}
		if s.RequiresSecurity {
			continue
		}
		router := documented(t, f.Handler(), s)
		for _, o := range s.Operations {
			if o.Unsupported == "" {
				judged += judge(t, f.Handler(), router, ask(s, o.Name, http.MethodPost, o.Name, o.Name, &o.Call))
			}
		}
		for _, r := range s.Resources {
			if r.Unsupported == "" {
				judged += judge(t, f.Handler(), router, ask(s, r.Name(), r.Method, r.Path, r.Name(), &r.Call))
			}
		}
	}
	if judged < 25 {
		t.Errorf("only %d answers were judged", judged)
	}
}

// documented gives what leads a request to its description.
func documented(t *testing.T, h http.Handler, s *dataservice.Service) routers.Router {
	t.Helper()
	w := get(h, http.MethodGet, Prefix+s.Name+"?openapi")
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", s.Name, w.Code, w.Body)
	}
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatalf("%s: %v\n%s", s.Name, err, w.Body)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("%s: %v\n%s", s.Name, err, w.Body)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return router
}

// judge makes a request, and compares it and its answer with the description. It
// gives 1 if there was an answer in JSON.
func judge(t *testing.T, h http.Handler, router routers.Router, a asked) int {
	t.Helper()
	r := a.rest
	r.Header.Set("Accept", "application/json")
	r.URL.Scheme, r.URL.Host = "http", r.Host // where the document says that it is
	route, path, err := router.FindRoute(r)
	if err != nil {
		t.Errorf("%s %s: %v", a.service, a.name, err)
		return 0
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: path, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
		t.Errorf("%s %s: %v", a.service, a.name, err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header()}
	if w.Body.Len() > 0 {
		out.SetBodyBytes(w.Body.Bytes())
	}
	if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
		t.Errorf("%s %s: %d %s: %v", a.service, a.name, w.Code, w.Body, err)
	}
	if w.Code != http.StatusOK {
		return 0
	}
	return 1
}
