package host

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// likely are values that mean something in the samples' database, by the names of
// parameters in lower case.
var likely = map[string]string{
	"employeenumber": "1002", "employeenumbers": "1056", "productcode": "S10_1678", "customernumber": "103", "officecode": "1",
	"lastname": "Ringer", "firstname": "Bell", "email": "b@belfry.dev", "code": "1", "accountid": "1", "speciality": "CARDIO",
}

// generated gives a valid value of a parameter.
func generated(p *dataservice.Param) string {
	if v, ok := likely[strings.ToLower(p.Name)]; ok {
		return v
	}
	switch p.SQLType {
	case "STRING", "QUERY_STRING", "CHAR", "VARCHAR", "CLOB":
		return "text"
	case "DATE":
		return "2026-01-31"
	case "TIME":
		return "12:30:00"
	case "TIMESTAMP":
		return "2026-01-31T12:30:00"
	case "BIT", "BOOLEAN":
		return "true"
	case "BINARY", "BLOB":
		return "YmVsbA=="
	}
	return "7"
}

// asked is a call of an operation or resource, in both languages.
type asked struct {
	service, name string
	rest          *http.Request
	soap          string // the element in the body
}

// ask makes a call with a value for each parameter.
func ask(s *dataservice.Service, name, method, path, element string, call *dataservice.CallQuery) asked {
	form := url.Values{}
	var body strings.Builder
	fmt.Fprintf(&body, "<p:%s xmlns:p=%q>", element, s.Namespace)
	for _, w := range call.Params {
		p := s.Query(call.Query).Param(w.Name)
		if p == nil {
			continue
		}
		v := generated(p)
		if strings.Contains(path, "{"+w.QueryParam+"}") {
			path = strings.ReplaceAll(path, "{"+w.QueryParam+"}", url.PathEscape(v))
		} else {
			form.Set(w.QueryParam, v)
		}
		fmt.Fprintf(&body, "<p:%s>%s</p:%s>", w.QueryParam, v, w.QueryParam)
	}
	fmt.Fprintf(&body, "</p:%s>", element)
	target := Prefix + s.Name + "/" + path
	var r *http.Request
	if method == http.MethodGet || method == http.MethodDelete {
		r = httptest.NewRequest(method, target+"?"+form.Encode(), nil)
	} else {
		r = httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "application/xml")
	return asked{s.Name, name, r, body.String()}
}

// answered is what a call came to, whatever the language.
type answered struct {
	empty   bool
	payload string
	fault   exchange.Detail
}

func overREST(t *testing.T, h http.Handler, a asked) answered {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, a.rest)
	to := answered{empty: w.Code == http.StatusAccepted}
	if w.Code/100 == 2 {
		to.payload = w.Body.String()
	} else if err := xml.Unmarshal(w.Body.Bytes(), &to.fault); err != nil {
		t.Errorf("%s %s: %d %s: %v", a.service, a.name, w.Code, w.Body, err)
	}
	return to
}

// The namespaces of the two versions, by media type.
var versions = map[string]string{
	"text/xml": "http://schemas.xmlsoap.org/soap/envelope/", "application/soap+xml": "http://www.w3.org/2003/05/soap-envelope",
}

func overSOAP(t *testing.T, h http.Handler, media string, a asked) answered {
	t.Helper()
	body := `<e:Envelope xmlns:e="` + versions[media] + `"><e:Body>` + a.soap + `</e:Body></e:Envelope>`
	r := httptest.NewRequest(http.MethodPost, Prefix+a.service, strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	to := answered{empty: w.Code == http.StatusAccepted}
	if to.empty {
		to.payload = w.Body.String()
		return to
	}
	var e struct {
		Body struct {
			Fault *struct {
				Detail11 exchange.Detail `xml:"detail>DataServiceFault"`
				Detail12 exchange.Detail `xml:"Detail>DataServiceFault"`
			} `xml:"Fault"`
			Inner string `xml:",innerxml"`
		} `xml:"Body"`
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &e); err != nil || (e.Body.Fault == nil) != (w.Code == http.StatusOK) {
		t.Errorf("%s %s: %d %s: %v", a.service, a.name, w.Code, w.Body, err)
		return to
	}
	switch {
	case e.Body.Fault == nil:
		to.payload = e.Body.Inner
	case media == "text/xml":
		to.fault = e.Body.Fault.Detail11
	default:
		to.fault = e.Body.Fault.Detail12
	}
	return to
}

// TestSOAPAnswersAsREST calls every operation and resource of the corpus over
// plain HTTP and over both versions of SOAP, each on a database of its own, and
// compares what it is answered: the same payload, or the same fault.
func TestSOAPAnswersAsREST(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "descriptors", "*.dbs"))
	if err != nil || len(files) < 25 {
		t.Fatalf("%d descriptors: %v", len(files), err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".dbs"))
	}
	plain, soap11, soap12 := samples(t, names...), samples(t, names...), samples(t, names...)
	calls, payloads, faults := 0, 0, 0
	for _, v := range plain.Services() {
		s, ok := plain.Service(v.Name)
		if !ok {
			t.Fatalf("%s is not deployed: %s", v.Name, v.Error)
		}
		var all []asked
		for _, o := range s.Operations {
			all = append(all, ask(s, o.Name, http.MethodPost, o.Name, o.Name, &o.Call))
		}
		for _, r := range s.Resources {
			all = append(all, ask(s, r.Name(), r.Method, r.Path, r.RequestName(), &r.Call))
		}
		for _, a := range all {
			calls++
			want := overREST(t, plain.Handler(), a)
			for media, f := range map[string]*fixture{"text/xml": soap11, "application/soap+xml": soap12} {
				if got := overSOAP(t, f.Handler(), media, a); got != want {
					t.Errorf("%s %s as %s:\n got %+v\nwant %+v", a.service, a.name, media, got, want)
				}
			}
			switch {
			case want.fault.Code != "":
				faults++
			case !want.empty:
				payloads++
			}
		}
	}
	t.Logf("%d calls: %d with a payload, %d faults", calls, payloads, faults)
	if calls < 80 || payloads < 25 {
		t.Errorf("only %d calls, %d with a payload", calls, payloads)
	}
}
