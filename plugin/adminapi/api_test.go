package adminapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// guard knows callers by their token.
type guard map[string]Caller

type stranger struct{ error }

func (stranger) Refused() (int, http.Header) {
	return http.StatusUnauthorized, http.Header{"Www-Authenticate": {"Bearer"}}
}

func (g guard) Admit(r *http.Request) (Caller, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "broken" {
		return Caller{}, errors.New("the users file is gone")
	}
	caller, ok := g[token]
	if !ok {
		return Caller{}, stranger{errors.New("who are you?")}
	}
	return caller, nil
}

func all() []string { return []string{string(ScopeRead), string(ScopeWrite), string(ScopeRun)} }

type world struct {
	*testing.T
	api   *API
	store *store.Store
}

func newWorld(t *testing.T, limits Limits) *world {
	t.Helper()
	member := coordtest.NewCluster(nil).Join("n1", []byte(`{}`))
	s := store.New(member, store.Options{})
	if _, err := s.Init(t.Context(), store.Settings{Buckets: 4}); err != nil {
		t.Fatal(err)
	}
	err := control.Publish(t.Context(), s.Owner(member.ID(), member), []contract.ServiceView{{
		Name: "Stock", Status: contract.StatusActive,
		Operations: []contract.OperationView{{Service: "Stock", Name: "getLowStock", Schedulable: true, Delivery: task.EffectivelyOnce}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	api, err := New(Deps{
		Control: control.New(control.Deps{KV: member, Members: member, Caller: member}),
		Guard: guard{
			"all": {"ops", all()}, "other": {"batch", all()},
			"read": {"viewer", []string{string(ScopeRead)}}, "write": {"writer", []string{string(ScopeWrite)}},
		},
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Limits: limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, api, s}
}

type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

func (w *world) ask(method, path, body string, headers ...string) answer {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, Root+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer all")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.api.ServeHTTP(recorder, r)
	return answer{recorder, w.T}
}

func (a answer) done(status int) control.Done {
	a.t.Helper()
	var d control.Done
	a.read(status, &d)
	return d
}

func (a answer) read(status int, v any) {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("status %d, want %d: %s", a.Code, status, a.Body)
	}
	if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
		a.t.Fatalf("%v: %s", err, a.Body)
	}
}

func (a answer) problem(status int, code failure.Code) Problem {
	a.t.Helper()
	var p Problem
	a.read(status, &p)
	if p.Code != code || p.Status != status || a.Header().Get("Content-Type") != "application/problem+json" {
		a.t.Fatalf("problem %+v as %s, want code %s", p, a.Header().Get("Content-Type"), code)
	}
	return p
}

func stockTask(name string) string {
	return fmt.Sprintf(`{"name":%q,"service":"Stock","operation":"getLowStock","trigger":{"cron":"0 0 3 * * ?"}}`, name)
}

func TestTheLifeOfATask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{})
	created := w.ask("POST", "/tasks", stockTask("stock"), "Idempotency-Key", "k1")
	if done := created.done(http.StatusCreated); !done.Created || len(done.Next) == 0 || created.Header().Get("Location") == "" {
		t.Errorf("created %+v", done)
	}
	if done := w.ask("POST", "/tasks", stockTask("stock"), "Idempotency-Key", "k1").done(http.StatusCreated); !done.Repeated {
		t.Errorf("created again: %+v", done)
	}
	// Another caller's key is another key.
	w.ask("POST", "/tasks", stockTask("stock"), "Idempotency-Key", "k1", "Authorization", "Bearer other").problem(http.StatusConflict, failure.CodeExists)
	w.ask("POST", "/tasks", stockTask("other"), "Idempotency-Key", "k1").problem(http.StatusPreconditionFailed, failure.CodeConflict)

	var read Task
	got := w.ask("GET", "/tasks/stock", "")
	got.read(http.StatusOK, &read)
	if read.Task.Name != "stock" || got.Header().Get("ETag") != `"1"` || strings.Contains(string(read.Definition), "uid") {
		t.Errorf("read %s, etag %s", read.Definition, got.Header().Get("ETag"))
	}
	if done := w.ask("PUT", "/tasks/stock", string(read.Definition), "If-Match", `"1"`).done(http.StatusOK); done.Changed {
		t.Errorf("put what was read: %+v", done)
	}
	if done := w.ask("PATCH", "/tasks/stock", `{"description":"how much is left"}`, "If-Match", `"1"`).done(http.StatusOK); done.Task.Revision != 2 {
		t.Errorf("patched: %+v", done.Task)
	}
	w.ask("PATCH", "/tasks/stock", `{"description":"x"}`, "If-Match", `"1"`).problem(http.StatusPreconditionFailed, failure.CodeConflict)
	w.ask("PUT", "/tasks/stock", stockTask("stock"), "If-None-Match", "*").problem(http.StatusConflict, failure.CodeExists)
	w.ask("PUT", "/tasks/stock", stockTask("other")).problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("POST", "/tasks/stock/pause?until=tomorrow", "").problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("POST", "/tasks/stock/pause?until=2999-01-01T00:00:00Z", "").problem(http.StatusBadRequest, failure.CodeInvalid)
	if d := w.ask("POST", "/tasks/stock/pause?until="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "").done(http.StatusOK); d.Task.PausedUntil == nil {
		t.Errorf("it lasts for ever: %+v", d.Task)
	}
	w.ask("POST", "/tasks/stock/pause?reason=stocktaking", "").done(http.StatusOK)
	w.ask("POST", "/tasks/stock/run", "").problem(http.StatusPreconditionFailed, failure.CodeConflict)
	w.ask("POST", "/tasks/stock/resume", "").done(http.StatusOK)
	run := w.ask("POST", "/tasks/stock/run", "", "Idempotency-Key", "r1")
	again := w.ask("POST", "/tasks/stock/run", "", "Idempotency-Key", "r1").done(http.StatusAccepted)
	if first := run.done(http.StatusAccepted); first.FireID == "" || again.FireID != first.FireID || run.Header().Get("Location") != Root+"/runs/"+first.FireID {
		t.Errorf("run %+v, again %+v, at %s", first, again, run.Header().Get("Location"))
	}
	var next []contract.NextView
	w.ask("GET", "/tasks/stock/next?n=3", "").read(http.StatusOK, &next)
	if len(next) != 3 {
		t.Errorf("next %v", next)
	}
	w.ask("DELETE", "/tasks/stock", "", "If-Match", `"99"`).problem(http.StatusPreconditionFailed, failure.CodeConflict)
	if done := w.ask("DELETE", "/tasks/stock", "").done(http.StatusOK); !done.Changed {
		t.Errorf("deleted: %+v", done)
	}
	if done := w.ask("DELETE", "/tasks/stock", "").done(http.StatusOK); done.Changed {
		t.Errorf("deleted again: %+v", done)
	}
	w.ask("GET", "/tasks/stock", "").problem(http.StatusNotFound, failure.CodeNotFound)
}

func TestListsComeInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{})
	for i := range 7 {
		w.ask("POST", "/tasks", stockTask(fmt.Sprintf("t%d", i))).done(http.StatusCreated)
	}
	var names []string
	for after, pages := "", 0; pages < 5; pages++ {
		var page TaskPage
		w.ask("GET", "/tasks?limit=3&after="+strings.ReplaceAll(after, "\x00", "%00"), "").read(http.StatusOK, &page)
		for _, v := range page.Tasks {
			names = append(names, v.Name)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if strings.Join(names, " ") != "t0 t1 t2 t3 t4 t5 t6" {
		t.Errorf("pages gave %v", names)
	}
	w.ask("GET", "/tasks?limit=0", "").problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("GET", "/tasks?state=wating", "").problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("GET", "/runs?since=yesterday", "").problem(http.StatusBadRequest, failure.CodeInvalid)
	var runs []contract.RunView
	w.ask("GET", "/runs", "").read(http.StatusOK, &runs)
	var services []contract.ServiceView
	if w.ask("GET", "/services", "").read(http.StatusOK, &services); len(services) != 1 {
		t.Errorf("services %v", services)
	}
	var status contract.StatusView
	if w.ask("GET", "/status", "").read(http.StatusOK, &status); status.Total != 7 {
		t.Errorf("status %+v", status)
	}
	w.ask("GET", "/runs/nonsense", "").problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("POST", "/runs/0-x:1/cancel", "").problem(http.StatusNotFound, failure.CodeNotFound)
}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{})
	token := func(name string) []string { return []string{"Authorization", "Bearer " + name} }
	for _, r := range w.api.routes() {
		path := strings.NewReplacer("{name}", "stock", "{id}", "0-x:1").Replace(r.path)
		body := ""
		if r.body != nil {
			body = `{}`
		}
		w.ask(r.method, path, body, token("nobody")...).problem(http.StatusUnauthorized, failure.CodeUnauthorised)
		w.ask(r.method, path, body, token("broken")...).problem(http.StatusServiceUnavailable, failure.CodeUnavailable)
		other := map[Scope]string{ScopeRead: "write", ScopeWrite: "read", ScopeRun: "read"}[r.scope]
		w.ask(r.method, path, body, token(other)...).problem(http.StatusForbidden, failure.CodeUnauthorised)
	}
	var results Results
	w.ask("POST", "/orders", `{"orders":[{"verb":"run","task":{"name":"stock"}}]}`, token("write")...).read(http.StatusOK, &results)
	if results.Failed != 1 || results.Results[0].Error.Code != failure.CodeUnauthorised {
		t.Errorf("a run without the scope: %+v", results)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{Body: 1000})
	w.ask("GET", "/nothing", "").problem(http.StatusNotFound, failure.CodeNotFound)
	wrong := w.ask("DELETE", "/tasks", "")
	if wrong.problem(http.StatusMethodNotAllowed, failure.CodeInvalid); wrong.Header().Get("Allow") != "GET, POST" {
		t.Errorf("Allow: %s", wrong.Header().Get("Allow"))
	}
	w.ask("POST", "/tasks", stockTask("x"), "Content-Type", "text/plain").problem(http.StatusUnsupportedMediaType, failure.CodeInvalid)
	w.ask("POST", "/tasks", `{"name":"x","description":"`+strings.Repeat("x", 1000)+`"}`).problem(http.StatusRequestEntityTooLarge, failure.CodeInvalid)
	w.ask("POST", "/tasks", `{"name":`).problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("POST", "/tasks", stockTask("x"), "Idempotency-Key", strings.Repeat("k", maxKey+1)).problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("PUT", "/tasks/x", stockTask("x"), "If-Match", "nonsense").problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("POST", "/orders", `{"orders":[]}`).problem(http.StatusBadRequest, failure.CodeInvalid)
}

// Ten thousand submissions, many of them twice and at once: each task is there
// once, and each copy is answered.
func TestSubmittedTenThousandTimes(t *testing.T) {
	t.Parallel()
	const tasks, copies = 500, 20
	w := newWorld(t, Limits{Requests: 1000})
	var created, repeated atomic.Int64
	var workers sync.WaitGroup
	jobs := make(chan int)
	for range 16 {
		workers.Go(func() {
			for job := range jobs {
				name := fmt.Sprintf("t%04d", job%tasks)
				r := httptest.NewRequestWithContext(t.Context(), "POST", Root+"/tasks", strings.NewReader(stockTask(name)))
				r.Header.Set("Authorization", "Bearer all")
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Idempotency-Key", name)
				recorder := httptest.NewRecorder()
				w.api.ServeHTTP(recorder, r)
				var done control.Done
				if err := json.Unmarshal(recorder.Body.Bytes(), &done); err != nil || recorder.Code != http.StatusCreated {
					t.Errorf("%s: %d %s", name, recorder.Code, recorder.Body)
				}
				if done.Repeated {
					repeated.Add(1)
				} else {
					created.Add(1)
				}
			}
		})
	}
	for job := range tasks * copies {
		jobs <- job
	}
	close(jobs)
	workers.Wait()
	if keys, err := w.store.Keys(t.Context()); err != nil || len(keys) != tasks || created.Load() != tasks || repeated.Load() != tasks*(copies-1) {
		t.Errorf("%d tasks, %d created, %d repeated, %v", len(keys), created.Load(), repeated.Load(), err)
	}
}

func TestABulkAnswersForEachOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{Bulk: 2000})
	var orders []control.Order
	for i := range 1000 {
		orders = append(orders, control.Order{ID: fmt.Sprint(i), Verb: control.VerbCreate, Task: json.RawMessage(stockTask(fmt.Sprintf("t%d", i%990)))})
	}
	orders = append(orders,
		control.Order{Verb: control.VerbPause, Task: json.RawMessage(`{"name":"t5"}`)}, // after its creation
		control.Order{Verb: "nonsense", Task: json.RawMessage(`{"name":"t6"}`)},
		control.Order{ID: strings.Repeat("k", maxKey+1), Verb: control.VerbRun, Task: json.RawMessage(`{"name":"t6"}`)},
	)
	body, err := json.Marshal(Orders{orders})
	if err != nil {
		t.Fatal(err)
	}
	var results Results
	w.ask("POST", "/orders", string(body)).read(http.StatusOK, &results)
	if results.Done != 991 || results.Failed != 12 || len(results.Results) != len(orders) {
		t.Fatalf("%d done, %d failed, %d results", results.Done, results.Failed, len(results.Results))
	}
	for i, want := range map[int]failure.Code{0: "", 989: "", 990: failure.CodeExists, 999: failure.CodeExists, 1000: "", 1001: failure.CodeInvalid, 1002: failure.CodeInvalid} {
		var got failure.Code
		if e := results.Results[i].Error; e != nil {
			got = e.Code
		}
		if got != want {
			t.Errorf("order %d: %q, want %q", i, got, want)
		}
	}
	// The same again: nothing is done twice.
	w.ask("POST", "/orders", string(body)).read(http.StatusOK, &results)
	if results.Done != 991 || !results.Results[0].Done.Repeated {
		t.Errorf("again: %d done, first %+v", results.Done, results.Results[0].Done)
	}
	many, err := json.Marshal(Orders{make([]control.Order, 2001)})
	if err != nil {
		t.Fatal(err)
	}
	w.ask("POST", "/orders", strings.ReplaceAll(string(many), `"task":null`, `"task":{}`)).problem(http.StatusBadRequest, failure.CodeInvalid)
}

func TestTooManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{Requests: 1})
	w.api.slots <- struct{}{}
	if busy := w.ask("GET", "/tasks", ""); busy.Code != http.StatusTooManyRequests || busy.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", busy.Code, busy.Body)
	}
	<-w.api.slots
	var page TaskPage
	w.ask("GET", "/tasks", "").read(http.StatusOK, &page)
}

func TestTheDocumentIsOpenAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{})
	raw := w.ask("GET", "/openapi.json", "", "Authorization", "")
	document, err := openapi3.NewLoader().LoadFromData(raw.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	operations := 0
	for _, path := range document.Paths.Map() {
		operations += len(path.Operations())
	}
	if operations != len(w.api.routes()) {
		t.Errorf("%d operations for %d routes", operations, len(w.api.routes()))
	}
	schema := document.Components.Schemas["Definition"].Value
	if schema.Properties["trigger"] == nil || schema.Properties["uid"] != nil {
		t.Errorf("Definition: %v", schema.Properties)
	}
}
