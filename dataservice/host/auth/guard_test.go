package auth

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// quick is an argon2id hash of "correct horse", as cheap as they come.
const quick = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$"

func hashOf(t *testing.T, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func write(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func guard(t *testing.T, o Options) *Guard {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// request is one from another machine, over https.
func request(authorization ...string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "https://example.org/services/S", http.NoBody)
	r.RemoteAddr, r.TLS = "192.0.2.1:4711", &tls.ConnectionState{}
	for _, a := range authorization {
		r.Header.Add("Authorization", a)
	}
	return r
}

func basic(name, password string) *http.Request {
	r := request()
	r.SetBasicAuth(name, password)
	return r
}

// status is what a request is refused with; 0: it is not.
func status(t *testing.T, err error) int {
	t.Helper()
	var r *exchange.Problem
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &r):
		t.Fatalf("%v is no refusal", err)
	}
	return r.Status
}

func TestGuard(t *testing.T) {
	t.Parallel()
	argon, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	token, tokenHashed := NewToken()
	old, oldHashed := NewToken()
	g := guard(t, Options{Users: write(t, "# people", "anna:"+argon+" roles=sales,admin scopes=tasks:read", "", "ben:"+hashOf(t, "battery staple"),
		"gone:"+hashOf(t, "battery staple")+" expires=2020-01-01", "feed:"+tokenHashed+"\troles=reports  scopes=tasks:write", "past:"+oldHashed+" expires=2020-01-01T00:00:00Z")})
	plain := func(r *http.Request, from string) *http.Request {
		r.TLS, r.RemoteAddr = nil, from
		return r
	}
	for name, c := range map[string]struct {
		request *http.Request
		want    string // the principal's name; empty: none
		status  int
	}{
		"argon2id":          {basic("anna", "correct horse"), "anna", 0},
		"bcrypt":            {basic("ben", "battery staple"), "ben", 0},
		"token":             {request("Bearer " + token), "feed", 0},
		"scheme's case":     {request("bEARER  " + token), "feed", 0},
		"nobody":            {request(), "", 0},
		"wrong password":    {basic("anna", "correct mule"), "", 401},
		"no password":       {basic("anna", ""), "", 401},
		"another's":         {basic("anna", "battery staple"), "", 401},
		"unknown":           {basic("carl", "correct horse"), "", 401},
		"name's case":       {basic("Anna", "correct horse"), "", 401},
		"expired password":  {basic("gone", "battery staple"), "", 401},
		"expired token":     {request("Bearer " + old), "", 401},
		"wrong token":       {request("Bearer " + token + "x"), "", 401},
		"empty token":       {request("Bearer "), "", 401},
		"hash for a token":  {request("Bearer " + strings.TrimPrefix(tokenHashed, tokenHash)), "", 401},
		"JWT without keys":  {request("Bearer a.b.c"), "", 401},
		"not base64":        {request("Basic !!"), "", 401},
		"no colon":          {request("Basic YW5uYQ=="), "", 401},
		"control character": {basic("anna\x00", "correct horse"), "", 401},
		"long password":     {basic("anna", strings.Repeat("x", maxPassword+1)), "", 401},
		"another scheme":    {request("Digest username=anna"), "", 401},
		"two":               {request("Bearer "+token, "Bearer "+token), "", 400},
		"plain, this host":  {plain(basic("anna", "correct horse"), "127.0.0.1:1"), "anna", 0},
		"plain, IPv6":       {plain(basic("anna", "correct horse"), "[::1]:1"), "anna", 0},
		"plain, elsewhere":  {plain(basic("anna", "correct horse"), "192.0.2.1:1"), "", 403},
		"token in plain":    {plain(request("Bearer "+token), "192.0.2.1:1"), "", 403},
	} {
		who, err := g.Authenticate(c.request)
		if got := status(t, err); got != c.status || (who == nil) != (c.want == "") || who != nil && who.Name != c.want {
			t.Errorf("%s: %+v %v, want %q and %d", name, who, err, c.want, c.status)
		}
	}
	who, err := g.Authenticate(basic("anna", "correct horse"))
	if err != nil || !slices.Equal(who.Roles, []string{"sales", "admin"}) || !slices.Equal(who.Scopes, []string{"tasks:read"}) {
		t.Errorf("%+v %v", who, err)
	}
	open := guard(t, Options{Users: g.opts.Users, AllowPlain: true})
	if who, err := open.Authenticate(plain(request("Bearer "+token), "192.0.2.1:1")); err != nil || who.Name != "feed" {
		t.Errorf("plain allowed: %+v %v", who, err)
	}
	var missing *exchange.Problem
	if !errors.As(g.Missing(), &missing) || missing.Status != 401 {
		t.Fatalf("%v", g.Missing())
	}
	if got := missing.Header["Www-Authenticate"]; len(got) != 2 || got[0] != `Basic realm="belfry", charset="UTF-8"` || got[1] != `Bearer realm="belfry"` {
		t.Errorf("%q", got)
	}
}

// A file that changes is read again; a bad one leaves the former in force; what was
// remembered of the former is not.
func TestUsersFileChanges(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var log bytes.Buffer
	path := write(t, "anna:"+hashOf(t, "first password"))
	g := guard(t, Options{Users: path, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))})
	check := func(step, password string, want int) {
		t.Helper()
		now = now.Add(lookAgain)
		if _, err := g.Authenticate(basic("anna", password)); status(t, err) != want {
			t.Errorf("%s: %v, want %d", step, err, want)
		}
	}
	replace := func(text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	check("first", "first password", 0)
	replace("anna:"+hashOf(t, "other password")+"\n", 0o600)
	check("changed: the former", "first password", 401)
	check("changed", "other password", 0)
	replace("anna:nonsense\n", 0o600)
	check("broken", "other password", 0)
	replace("anna:"+hashOf(t, "third password")+"\n", 0o644)
	check("readable by others", "other password", 0)
	replace("", 0o600)
	check("emptied", "other password", 401)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check("gone", "other password", 401)
	for _, want := range []string{path + ":1: the hash is neither", "chmod 0600", "no such file"} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("%q is not logged once:\n%s", want, &log)
		}
	}
}

func TestUsersFileRefused(t *testing.T) {
	t.Parallel()
	_, hashed := NewToken()
	for text, want := range map[string]string{
		"anna":                                                 ":1: it is not name:hash",
		":" + hashed:                                           ":1: the name must have",
		"a:" + quick:                                           "the key of the argon2id hash",
		"a:plaintext":                                          "the hash is neither",
		"a:$2y$15$" + strings.Repeat("a", 53):                  "has cost 15",
		"a:$2y$xx$":                                            "bcrypt hash is not well-formed",
		"a:$argon2id$v=16$m=8,t=1,p=1$a$b":                     "is not of the form",
		"a:$argon2id$v=19$m=8,t=1$a$b":                         "no parameters",
		"a:$argon2id$v=19$m=999999,t=1,p=1$a$b":                "beyond m=",
		"a:$argon2id$v=19$m=8,t=1,p=0$a$b":                     "beyond m=",
		"a:$argon2id$v=19$m=64,t=1,p=8$YQ$b":                   "the salt",
		"a:$sha256$abcd":                                       "64 hexadecimal digits",
		"a:" + hashed + "\nb:" + hashed:                        ":2: the same token",
		"a:" + hashed + " roles=two words":                     `"words" is not roles=`,
		"a:" + hashed + " expires=tomorrow":                    "neither a day",
		"a:" + hashed + " roles=" + strings.Repeat("r,", 5000): "longer than",
	} {
		if _, err := New(Options{Users: write(t, strings.Split(text, "\n")...)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
	open := write(t)
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Users: open}); err == nil || !strings.Contains(err.Error(), "chmod 0600") {
		t.Errorf("%v", err)
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a guard that knows nobody")
	}
	if err := Check([]byte("ok:" + hashed + "\nbad\n")); err == nil || !strings.HasPrefix(err.Error(), "2: ") {
		t.Errorf("%v", err)
	}
}

// After too many wrong credentials an address is not heard, a right password
// included, until the window has passed; what is remembered is.
func TestFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guard(t, Options{Users: write(t, "anna:"+hashOf(t, "right password"), "ben:"+hashOf(t, "right password")), Failures: 3, Window: time.Hour, Cache: time.Minute})
		try := func(step, name, password, from string, want int) {
			t.Helper()
			r := basic(name, password)
			r.RemoteAddr = from
			if _, err := g.Authenticate(r); status(t, err) != want {
				t.Errorf("%s: %v, want %d", step, err, want)
			}
		}
		const here, there = "192.0.2.1:1", "192.0.2.2:1"
		try("right", "anna", "right password", here, 0)
		for range 3 {
			try("wrong", "anna", "wrong password", here, 401)
		}
		try("wrong, too often", "anna", "wrong password", here, 429)
		try("right, remembered", "anna", "right password", here, 0)
		time.Sleep(2 * time.Minute)
		try("right, no longer remembered", "anna", "right password", here, 429)
		try("right, from elsewhere", "anna", "right password", there, 0)
		try("another name", "ben", "right password", here, 0)
		time.Sleep(time.Hour)
		try("after the window", "anna", "right password", here, 0)
		for range 2 {
			try("wrong", "anna", "wrong password", here, 401)
		}
		time.Sleep(2 * time.Minute)
		try("right", "anna", "right password", here, 0)
		try("wrong after right", "anna", "wrong password", here, 401)
		time.Sleep(2 * time.Minute)
		try("forgiven", "anna", "right password", here, 0)
		for i := range 3*perAddress + 1 {
			r := request("Bearer nonsense")
			r.RemoteAddr = "[2001:db8::" + string(rune('a'+i%6)) + "]:1"
			want := 401
			if i == 3*perAddress {
				want = 429
			}
			if _, err := g.Authenticate(r); status(t, err) != want {
				t.Errorf("token %d: %v, want %d", i, err, want)
			}
		}
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	g := guard(t, Options{Users: write(t, "anna:"+hashOf(t, "right password")), Failures: 1, Window: 90 * time.Second})
	_, first := g.Authenticate(basic("anna", "wrong"))
	_, second := g.Authenticate(basic("anna", "wrong"))
	var r *exchange.Problem
	if status(t, first) != 401 || !errors.As(second, &r) || r.Status != 429 {
		t.Fatalf("%v, %v", first, second)
	}
	if r.Header.Get("Retry-After") != "90" || r.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("%v", r.Header)
	}
}

// 200 clients with the same password cost one hash.
func TestOneHashForMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guard(t, Options{Users: write(t, "anna:"+hashOf(t, "right password")), Hashes: 1})
		g.verifier.slots <- struct{}{} // the only place to hash is taken, so that all of them meet
		var all sync.WaitGroup
		refused := make([]error, 200)
		for i := range refused {
			all.Go(func() { _, refused[i] = g.Authenticate(basic("anna", "right password")) })
		}
		synctest.Wait()
		if n := len(g.verifier.running); n != 1 {
			t.Errorf("%d verifications run", n)
		}
		<-g.verifier.slots
		all.Wait()
		if err := errors.Join(refused...); err != nil {
			t.Error(err)
		}
	})
}

// A password whose turn does not come is refused with 503.
func TestHashingTakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guard(t, Options{Users: write(t, "anna:"+hashOf(t, "right password")), Hashes: 1, Failures: 1})
		g.verifier.slots <- struct{}{}
		for range 3 { // not counted as wrong
			if _, err := g.Authenticate(basic("anna", "right password")); status(t, err) != 503 {
				t.Errorf("%v, want 503", err)
			}
		}
		<-g.verifier.slots
		if _, err := g.Authenticate(basic("anna", "right password")); err != nil {
			t.Error(err)
		}
	})
}

// When too many different passwords wait, more are refused with 503 and not
// counted as wrong.
func TestHashingIsBounded(t *testing.T) {
	t.Parallel()
	g := guard(t, Options{Users: write(t, "anna:"+hashOf(t, "right password"))})
	for i := range maxWaiting {
		g.verifier.running[proof{byte(i), byte(i >> 8), 1}] = &attempt{}
	}
	_, err := g.Authenticate(basic("anna", "right password"))
	if status(t, err) != 503 {
		t.Errorf("%v, want 503", err)
	}
	clear(g.verifier.running)
	if _, err := g.Authenticate(basic("anna", "right password")); err != nil {
		t.Error(err)
	}
}

// Memory is bounded whatever comes.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	v := newVerifier(1, time.Minute, func() time.Time { return now })
	f := newFailures(3, time.Minute)
	who := &dataservice.Principal{Name: "x"}
	for i := range maxCounted {
		v.remember(proof{byte(i), byte(i >> 8), byte(i >> 16)}, who, time.Time{})
		f.failed(network("192.0.2.1:1"), string(rune('a'+i)), now)
	}
	if len(v.remembered) > maxRemembered || len(f.by) > maxCounted || f.order.Len() != len(f.by) {
		t.Errorf("%d remembered, %d counted in %d", len(v.remembered), len(f.by), f.order.Len())
	}
	v.remember(proof{1, 2, 3, 4}, who, now.Add(time.Second))
	now = now.Add(2 * time.Second)
	if v.recall(proof{1, 2, 3, 4}) != nil {
		t.Error("remembered beyond its expiry")
	}
}

func FuzzUsers(f *testing.F) {
	f.Add("anna:" + quick + " roles=a,b scopes=c expires=2027-01-01\n# x\n")
	f.Add("a:$sha256$00\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseUsers([]byte(text))
		if err != nil {
			return
		}
		for name, u := range all.passwords {
			if name == "" || u.hash == nil || all.decoy == nil {
				t.Errorf("%q: %+v", name, u)
			}
		}
	})
}
