package boxcar_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/boxcar"
)

// clock is set by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func want(t *testing.T, err error, kind dataservice.FaultKind) {
	t.Helper()
	var f *dataservice.Fault
	if !errors.As(err, &f) || f.Kind != kind {
		t.Errorf("got %v, want a fault of kind %d", err, kind)
	}
}

func request(value string) dataservice.Request {
	return dataservice.Request{Name: "op", Values: dataservice.Values{"v": {value}}}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	c := &clock{time.Unix(1000, 0)}
	s := boxcar.New(boxcar.Limits{Sessions: 2, Requests: 2, Bytes: 2000, MaxAge: time.Minute}, c.now)
	begin := func() boxcar.Key {
		t.Helper()
		k, err := s.Begin("S", "ann")
		if err != nil || len(k.ID) < 20 {
			t.Fatalf("%+v, %v", k, err)
		}
		return k
	}
	a, b := begin(), begin()
	if a == b {
		t.Fatal("two sessions of one name")
	}
	_, err := s.Begin("S", "ann")
	want(t, err, dataservice.FaultBusy)

	// A session belongs to its service and its caller.
	for _, k := range []boxcar.Key{{ID: a.ID, Service: "T", Caller: "ann"}, {ID: a.ID, Service: "S"}, {ID: a.ID, Service: "S", Caller: "bob"}, {Service: "S", Caller: "ann"}} {
		if s.Has(k) {
			t.Errorf("%+v has a session", k)
		}
		want(t, s.Add(k, request("x")), dataservice.FaultInput)
	}
	if err := s.Add(a, request("1"), request("2")); err != nil {
		t.Fatal(err)
	}
	if list, err := s.End(a); err != nil || len(list) != 2 || list[1].Values["v"][0] != "2" {
		t.Errorf("%v, %v", list, err)
	}
	_, err = s.End(a)
	want(t, err, dataservice.FaultInput)

	// Too many requests, or too large ones, end the session.
	if err := s.Add(b, request("1"), request("2")); err != nil {
		t.Fatal(err)
	}
	want(t, s.Add(b, request("3")), dataservice.FaultLimit)
	if s.Has(b) {
		t.Error("a session went on after it was given up")
	}
	a, b = begin(), begin()
	if err := s.Add(a, request(strings.Repeat("x", 1000))); err != nil {
		t.Fatal(err)
	}
	want(t, s.Add(b, request(strings.Repeat("x", 1000))), dataservice.FaultLimit)
	if !s.Has(a) {
		t.Error("another's session was given up")
	}

	// Age ends one, and gives its place and its bytes back.
	c.at = c.at.Add(61 * time.Second)
	if s.Has(a) {
		t.Error("a session outlived its age")
	}
	b = begin()
	if err := s.Add(b, request(strings.Repeat("x", 1000))); err != nil {
		t.Error(err)
	}
}
