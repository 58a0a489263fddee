package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// TestRedeployUnderLoad: no request fails while its service is replaced, again
// and again, and no version is closed under a request (fakeRuntime checks).
func TestRedeployUnderLoad(t *testing.T) {
	t.Parallel()
	const versions = 30
	f := newFixture(t)
	f.write("A.dbs", dbs("A", "v0"))
	f.start()
	server := httptest.NewServer(f.Handler())
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	var served atomic.Int64
	var clients sync.WaitGroup
	for i := range 6 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if i%2 == 0 {
					if _, err := f.Invoke(t.Context(), dataservice.Call{Service: "A", Operation: "op"}); err != nil {
						t.Errorf("invoked: %v", err)
						return
					}
				} else if err := fetch(server.URL + "/services/A/op"); err != nil {
					t.Errorf("requested: %v", err)
					return
				}
				served.Add(1)
			}
		})
	}
	for v := 1; v <= versions; v++ {
		f.write("A.dbs", dbs("A", fmt.Sprintf("v%d", v)))
		f.until(fmt.Sprintf("A=v%d/%d", v, v+1))
	}
	stop()
	clients.Wait()
	for range versions {
		select {
		case <-f.opener.closings:
		case <-time.After(patience):
			t.Fatal("a replaced version was not closed")
		}
	}
	t.Logf("%d requests during %d deployments", served.Load(), versions)
}

// TestRedeployCrowd: 200 clients, over REST and SOAP and in process, while one
// service is replaced again and again and another comes and goes. Only requests
// to what is gone fail, and they say so.
func TestRedeployCrowd(t *testing.T) {
	t.Parallel()
	const versions, crowd = 12, 200
	f := newFixture(t)
	f.write("A.dbs", dbs("A", "v0"))
	f.write("B.dbs", dbs("B", "v0"))
	f.start()
	server := httptest.NewServer(f.Handler())
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: crowd}}
	defer client.CloseIdleConnections()
	post := func(service string) (int, string, error) {
		body := `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><op xmlns="http://ws.wso2.org/dataservice"/></e:Body></e:Envelope>`
		resp, err := client.Post(server.URL+"/services/"+service, "text/xml", strings.NewReader(body))
		return drained(resp, err)
	}
	ask := func(service string) (int, string, error) {
		resp, err := client.Get(server.URL + "/services/" + service + "/op")
		return drained(resp, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var served, missed atomic.Int64
	var clients sync.WaitGroup
	for i := range crowd {
		service, way := "A", ask
		if i%4 == 1 {
			service = "B"
		}
		if i%2 == 1 {
			way = post
		}
		clients.Go(func() {
			for ctx.Err() == nil {
				if i%8 == 0 {
					if _, err := f.Invoke(t.Context(), dataservice.Call{Service: service, Operation: "op"}); err != nil {
						t.Errorf("invoked: %v", err)
						return
					}
					continue
				}
				status, body, err := way(service)
				switch {
				case err == nil && status == http.StatusOK && strings.Contains(body, "<is>v"):
					served.Add(1)
				case err == nil && service == "B" && status == http.StatusNotFound && strings.Contains(body, "no such service"):
					missed.Add(1)
				default:
					t.Errorf("%s: %d %s %v", service, status, body, err)
					return
				}
			}
		})
	}
	for v := 1; v <= versions; v++ {
		f.write("A.dbs", dbs("A", fmt.Sprintf("v%d", v)))
		if v%2 == 1 {
			f.remove("B.dbs")
			f.until(fmt.Sprintf("A=v%d/%d", v, v+1))
		} else {
			f.write("B.dbs", dbs("B", fmt.Sprintf("v%d", v)))
			f.until(fmt.Sprintf("A=v%d/%d, B=v%d/%d", v, v+1, v, v/2+1))
		}
	}
	stop()
	clients.Wait()
	if served.Load() < crowd || missed.Load() == 0 {
		t.Errorf("%d requests were served and %d met a service that was gone: too few to show anything", served.Load(), missed.Load())
	}
}

// drained reads an answer to its end.
func drained(resp *http.Response, err error) (int, string, error) {
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// TestRedeploySamplesUnderLoad does the same to a sample on a real database, with
// requests that read and requests that write.
func TestRedeploySamplesUnderLoad(t *testing.T) {
	t.Parallel()
	const versions = 10
	f := samples(t, "EventingSample")
	text, err := os.ReadFile(filepath.Join(f.dir, "EventingSample.dbs"))
	if err != nil {
		t.Fatal(err)
	}
	h := f.Handler()
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i, target := range []string{
		"/services/EventingSample/getProductByCode?productCode=S10_1678",
		"/services/EventingSample/updateProductQuantity?productCode=S10_1678&quantityInStock=7",
		"/services/EventingSample.HTTPEndpoint/getProductByCode?productCode=S10_1949",
	} {
		want := []int{http.StatusOK, http.StatusAccepted, http.StatusOK}[i]
		clients.Go(func() {
			for ctx.Err() == nil {
				if w := get(h, http.MethodGet, target); w.Code != want {
					t.Errorf("%s: %d %s", target, w.Code, w.Body)
					return
				}
			}
		})
	}
	for v := 2; v <= versions; v++ {
		f.write("EventingSample.dbs", strings.Replace(string(text), "<data ", fmt.Sprintf("<data description=\"v%d\" ", v), 1))
		f.until(fmt.Sprintf("EventingSample=v%d/%d", v, v))
	}
	stop()
	clients.Wait()
}

func fetch(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "<is>v") {
		return fmt.Errorf("%d %s: %w", resp.StatusCode, body, err)
	}
	return nil
}

// TestDrain: the old version's running request ends on the old sources, which
// are closed after it; new requests meet the new version meanwhile.
func TestDrain(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan string), make(chan struct{})
	f := newFixture(t)
	f.opener.run = func(_ context.Context, s *dataservice.Service, _ dataservice.Request, out result.Sink) (query.Outcome, error) {
		if s.Description == "old" {
			entered <- s.Description
			<-leave
		}
		return query.Outcome{}, out.Leaf(result.Name{Local: "is"}, result.Value{Valid: true, Text: s.Description})
	}
	f.write("A.dbs", dbs("A", "old"))
	d := f.steps()
	answer := make(chan string)
	go func() { answer <- get(f.Handler(), "GET", "/services/A/op").Body.String() }()
	<-entered
	f.write("A.dbs", dbs("A", "new"))
	d.pass(t.Context())
	if got := get(f.Handler(), "GET", "/services/A/op").Body.String(); got != "<is>new</is>" {
		t.Errorf("the new version answers %s", got)
	}
	select {
	case closed := <-f.opener.closings:
		t.Errorf("%s was closed under its request", closed)
	default:
	}
	close(leave)
	if got := <-answer; got != "<is>old</is>" {
		t.Errorf("the old version answers %s", got)
	}
	if closed := <-f.opener.closings; closed != "old" {
		t.Errorf("closed %s", closed)
	}
}

// TestDrainIsBounded: what does not end is cancelled, after Drain or when Stop
// has no more time.
func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	for _, drain := range []time.Duration{time.Millisecond, time.Hour} {
		entered := make(chan struct{})
		f := newFixture(t, func(o *Options) { o.Drain = drain })
		f.opener.cut = true
		f.opener.run = func(ctx context.Context, _ *dataservice.Service, _ dataservice.Request, _ result.Sink) (query.Outcome, error) {
			close(entered)
			<-ctx.Done()
			return query.Outcome{}, ctx.Err()
		}
		f.write("A.dbs", dbs("A", "slow"))
		f.start()
		ended := make(chan error)
		go func() {
			_, err := f.Invoke(context.Background(), dataservice.Call{Service: "A", Operation: "op"})
			ended <- err
		}()
		<-entered
		f.remove("A.dbs")
		f.until("")
		if drain == time.Hour {
			now, cancel := context.WithCancel(t.Context())
			cancel()
			if err := f.Stop(now); err != nil {
				t.Errorf("stop: %v", err)
			}
		}
		var fault *dataservice.Fault
		if err := <-ended; !errors.As(err, &fault) {
			t.Errorf("a cancelled call: %v", err)
		}
		<-f.opener.closings
	}
}
