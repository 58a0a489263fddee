package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// signer signs tokens, and shows the key that verifies them.
type signer struct {
	method jwt.SigningMethod
	secret any
	jwk    map[string]string
	public crypto.PublicKey
}

func signers(t *testing.T) map[string]signer {
	t.Helper()
	text := base64.RawURLEncoding.EncodeToString
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := e.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shared := random(32)
	return map[string]signer{
		"RS256": {jwt.SigningMethodRS256, r, map[string]string{"kty": "RSA", "n": text(r.N.Bytes()), "e": text(big.NewInt(int64(r.E)).Bytes())}, &r.PublicKey},
		"PS384": {jwt.SigningMethodPS384, r, map[string]string{"kty": "RSA", "alg": "PS384", "n": text(r.N.Bytes()), "e": "AQAB"}, &r.PublicKey},
		"ES256": {jwt.SigningMethodES256, e, map[string]string{"kty": "EC", "crv": "P-256", "x": text(point[1:33]), "y": text(point[33:])}, &e.PublicKey},
		"EdDSA": {jwt.SigningMethodEdDSA, ed, map[string]string{"kty": "OKP", "crv": "Ed25519", "x": text(edPublic)}, edPublic},
		"HS256": {jwt.SigningMethodHS256, shared, map[string]string{"kty": "oct", "k": text(shared)}, nil},
	}
}

func (s signer) token(t *testing.T, claims map[string]any, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(s.method, jwt.MapClaims(claims))
	maps.Copy(token.Header, header)
	text, err := token.SignedString(s.secret)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func jwks(t *testing.T, keys ...map[string]string) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func claims(now time.Time, more map[string]any) map[string]any {
	c := map[string]any{
		"iss": "https://issuer.example.org", "aud": []string{"others", "belfry"}, "sub": "anna", "exp": now.Add(time.Minute).Unix(),
		"iat": now.Unix(), "roles": []string{"sales", "admin"}, "scope": "tasks.read tasks.write",
		"realm_access": map[string]any{"roles": []string{"inner"}}, "email": "anna@example.org",
	}
	for name, v := range more {
		if v == nil {
			delete(c, name)
		} else {
			c[name] = v
		}
	}
	return c
}

var ours = JWT{Issuer: "https://issuer.example.org", Audience: "belfry"}

func TestJWT(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, s := range signers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := ours
			j.Keys, j.Algorithms = jwks(t, s.jwk), []string{name}
			g := guard(t, Options{JWT: j})
			who, err := g.Authenticate(request("Bearer " + s.token(t, claims(now, nil), nil)))
			if err != nil || who.Name != "anna" || !slices.Equal(who.Roles, []string{"sales", "admin"}) || !slices.Equal(who.Scopes, []string{"tasks.read", "tasks.write"}) {
				t.Errorf("%+v %v", who, err)
			}
		})
	}
}

func TestJWTRefused(t *testing.T) {
	t.Parallel()
	now := time.Now()
	all := signers(t)
	rs, other := all["RS256"], signers(t)["RS256"]
	rs.jwk["kid"] = "k1"
	j := ours
	j.Keys, j.Algorithms = jwks(t, rs.jwk, map[string]string{"kty": "RSA", "use": "enc"}), []string{"RS256", "HS256", "ES256"}
	g := guard(t, Options{JWT: j, Failures: 1000})
	der, err := x509.MarshalPKIXPublicKey(rs.public)
	if err != nil {
		t.Fatal(err)
	}
	confused := signer{method: jwt.SigningMethodHS256, secret: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
	good := rs.token(t, claims(now, nil), map[string]any{"kid": "k1"})
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	with := func(more map[string]any) string { return rs.token(t, claims(now, more), map[string]any{"kid": "k1"}) }
	for name, token := range map[string]string{
		"none":                  none,
		"signed by another":     other.token(t, claims(now, nil), map[string]any{"kid": "k1"}),
		"public key as secret":  confused.token(t, claims(now, nil), map[string]any{"kid": "k1"}),
		"algorithm not allowed": all["PS384"].token(t, claims(now, nil), nil),
		"no key of that kind":   all["ES256"].token(t, claims(now, nil), nil),
		"unknown kid":           rs.token(t, claims(now, nil), map[string]any{"kid": "k2"}),
		"its own key":           other.token(t, claims(now, nil), map[string]any{"jwk": other.jwk}),
		"crit":                  rs.token(t, claims(now, nil), map[string]any{"kid": "k1", "crit": []string{"b64"}}),
		"another issuer":        with(map[string]any{"iss": "https://other.example.org"}),
		"no issuer":             with(map[string]any{"iss": nil}),
		"another audience":      with(map[string]any{"aud": "others"}),
		"no audience":           with(map[string]any{"aud": nil}),
		"no exp":                with(map[string]any{"exp": nil}),
		"expired":               with(map[string]any{"exp": now.Add(-time.Minute).Unix()}),
		"not yet":               with(map[string]any{"nbf": now.Add(time.Minute).Unix()}),
		"issued in the future":  with(map[string]any{"iat": now.Add(time.Hour).Unix()}),
		"no subject":            with(map[string]any{"sub": nil}),
		"subject a number":      with(map[string]any{"sub": 7}),
		"roles a number":        with(map[string]any{"roles": 7}),
		"roles of numbers":      with(map[string]any{"roles": []int{7}}),
		"many roles":            with(map[string]any{"roles": slices.Repeat([]string{"r"}, maxList+1)}),
		"other claims":          parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"root"}`)) + "." + parts[2],
		"cut":                   good[:len(good)-4],
		"padded":                good + "==",
		"huge":                  with(map[string]any{"x": strings.Repeat("x", maxToken)}),
		"not a token":           "a.b.c",
	} {
		if who, err := g.Authenticate(request("Bearer " + token)); status(t, err) != 401 || who != nil {
			t.Errorf("%s: %+v %v", name, who, err)
		}
	}
	if who, err := g.Authenticate(request("Bearer " + good)); err != nil || who.Name != "anna" {
		t.Errorf("%+v %v", who, err)
	}
	if who, err := g.Authenticate(request("Bearer " + rs.token(t, claims(now, map[string]any{"exp": now.Add(-leeway / 2).Unix()}), nil))); err != nil || who == nil {
		t.Errorf("within the leeway, without kid: %v", err)
	}
	_, err = g.Authenticate(request("Basic YW5uYTp4"))
	if status(t, err) != 401 {
		t.Errorf("Basic without a users file: %v", err)
	}
}

func TestJWTClaims(t *testing.T) {
	t.Parallel()
	s := signers(t)["ES256"]
	j := ours
	j.Keys, j.Algorithms = jwks(t, s.jwk), []string{"ES256"}
	j.NameClaim, j.RolesClaim, j.ScopesClaim = "email", "realm_access.roles", "nothing.there"
	who, err := guard(t, Options{JWT: j}).Authenticate(request("Bearer " + s.token(t, claims(time.Now(), nil), nil)))
	if err != nil || who.Name != "anna@example.org" || !slices.Equal(who.Roles, []string{"inner"}) || len(who.Scopes) != 0 {
		t.Errorf("%+v %v", who, err)
	}
}

func TestKeysPEM(t *testing.T) {
	t.Parallel()
	all := signers(t)
	var data []byte
	for _, name := range []string{"RS256", "ES256", "EdDSA"} {
		der, err := x509.MarshalPKIXPublicKey(all[name].public)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	path := filepath.Join(t.TempDir(), "keys.pem")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	j := ours
	j.Keys, j.Algorithms = path, []string{"RS256", "ES256", "EdDSA"}
	g := guard(t, Options{JWT: j})
	for _, name := range j.Algorithms {
		if _, err := g.Authenticate(request("Bearer " + all[name].token(t, claims(time.Now(), nil), nil))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysRefused(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skipf("SKIPPED: this Go makes no weak key: %v", err)
	}
	text := base64.RawURLEncoding.EncodeToString
	block := func(kind string, data []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	for data, want := range map[string]string{
		"":                                       "no key",
		`{"keys":[]}`:                            "no key",
		`{"keys":[{"kty":"RSA","use":"enc"}]}`:   "no key",
		`{"keys":`:                               "not a JWKS",
		`{"keys":[{"kty":"XYZ","kid":"k"}]}`:     `key 1 (kid "k"): keys of the kind "XYZ"`,
		`{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}`: "at least 32 bytes",
		`{"keys":[{"kty":"oct","k":"!"}]}`:       "not base64url",
		`{"keys":[{"kty":"EC","crv":"P-224"}]}`:  `curve "P-224"`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}`:                "key 1",
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQ"}]}`:                      "not an Ed25519 key",
		`{"keys":[{"kty":"RSA","n":"AQ","e":"AQ"}]}`:                             "its e is not",
		`{"keys":[{"kty":"RSA","n":"` + text(weak.N.Bytes()) + `","e":"AQAB"}]}`: "this one 1024",
		block("PRIVATE KEY", []byte("x")):                                        "is no public key",
		block("PUBLIC KEY", []byte("x")):                                         "key 1",
		block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&weak.PublicKey)):     "this one 1024",
	} {
		if _, err := parseKeys([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", data, err, want)
		}
	}
	for _, j := range []JWT{
		{Keys: "x", Issuer: "i"},
		{Keys: "x", Audience: "a"},
		{Keys: "x", Issuer: "i", Audience: "a", Algorithms: []string{"none"}},
		{Keys: filepath.Join(t.TempDir(), "absent"), Issuer: "i", Audience: "a"},
	} {
		if _, err := New(Options{JWT: j}); err == nil {
			t.Errorf("%+v is taken", j)
		}
	}
}
