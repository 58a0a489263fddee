package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed42aab489/belfry/dataservice"
)

// JWT says which JSON Web Tokens are taken. Keys, Issuer and Audience must be
// given; the zero value of the rest means the default.
type JWT struct {
	Keys string // path of a JWKS or PEM file; empty: none are taken
	// Algorithms that a token may be signed with; default RS256.
	Algorithms []string
	Issuer     string // that iss must be
	Audience   string // that aud must hold
	// The claims that hold the name, the roles and the scopes; dots lead into
	// objects. Defaults: sub, roles, scope.
	NameClaim, RolesClaim, ScopesClaim string
}

// Bounds of a token.
const (
	maxToken = 16 << 10 // bytes
	maxKeys  = 64
	leeway   = 30 * time.Second // for clocks that differ
)

var algorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
}

func (j *JWT) check() error {
	if len(j.Algorithms) == 0 {
		j.Algorithms = []string{"RS256"}
	}
	for _, a := range j.Algorithms {
		if !slices.Contains(algorithms, a) {
			return fmt.Errorf("JSON Web Tokens: algorithm %q is not one of %s", a, strings.Join(algorithms, ", "))
		}
	}
	if j.Issuer == "" || j.Audience == "" {
		return errors.New("JSON Web Tokens: the issuer and the audience must be given, so that tokens made for others are not taken")
	}
	set := func(s *string, to string) {
		if *s == "" {
			*s = to
		}
	}
	set(&j.NameClaim, "sub")
	set(&j.RolesClaim, "roles")
	set(&j.ScopesClaim, "scope")
	return nil
}

// principal verifies a token. The error is for the log.
func (j *JWT) principal(keys []key, token string, now time.Time) (*dataservice.Principal, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("it is longer than %d bytes", maxToken)
	}
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(
		jwt.WithValidMethods(j.Algorithms), jwt.WithIssuer(j.Issuer), jwt.WithAudience(j.Audience), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithStrictDecoding(),
	)
	if _, err := parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) { return suitable(keys, t) }); err != nil {
		return nil, err
	}
	who := &dataservice.Principal{}
	var ok bool
	if who.Name, ok = claim(claims, j.NameClaim).(string); !ok || !validName(who.Name) {
		return nil, fmt.Errorf("its claim %s is no name", j.NameClaim)
	}
	var err error
	if who.Roles, err = words(claim(claims, j.RolesClaim)); err != nil {
		return nil, fmt.Errorf("its claim %s: %w", j.RolesClaim, err)
	}
	if who.Scopes, err = words(claim(claims, j.ScopesClaim)); err != nil {
		return nil, fmt.Errorf("its claim %s: %w", j.ScopesClaim, err)
	}
	return who, nil
}

// suitable gives the keys that a token may be signed with.
func suitable(keys []key, t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errors.New("it has critical header fields (crit)")
	}
	id, named := t.Header["kid"].(string)
	var set jwt.VerificationKeySet
	for _, k := range keys {
		if k.fits(t.Method.Alg()) && (!named || k.id == id) {
			set.Keys = append(set.Keys, k.public)
		}
	}
	if len(set.Keys) == 0 {
		return nil, fmt.Errorf("no key suits it (alg %s, kid %q)", t.Method.Alg(), id)
	}
	return set, nil
}

// claim follows dots into objects, unless the whole name is a claim.
func claim(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	first, rest, deeper := strings.Cut(name, ".")
	if inner, ok := claims[first].(map[string]any); ok && deeper {
		return claim(inner, rest)
	}
	return nil
}

// words reads a list, or words with spaces between them.
func words(v any) ([]string, error) {
	var out []string
	switch v := v.(type) {
	case nil:
	case string:
		out = strings.Fields(v)
	case []any:
		for _, w := range v {
			s, ok := w.(string)
			if !ok {
				return nil, errors.New("it is not a list of words")
			}
			out = append(out, s)
		}
	default:
		return nil, errors.New("it is neither words nor a list of them")
	}
	if len(out) > maxList {
		return nil, fmt.Errorf("it has more than %d words", maxList)
	}
	return out, nil
}
