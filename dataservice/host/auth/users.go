package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/seed42aab489/belfry/dataservice"
)

// Bounds of a users file.
const (
	maxFile = 4 << 20 // bytes
	maxLine = 4 << 10
	maxName = 256
	maxList = 100 // roles, or scopes, of one
)

// users is a users file, read.
type users struct {
	passwords map[string]*user
	tokens    map[[sha256.Size]byte]*user
	decoy     *hash // nil: nobody has a password
}

// user is a line of it.
type user struct {
	principal *dataservice.Principal
	hash      *hash     // nil: a token
	expires   time.Time // zero: never
}

func (u *user) valid(now time.Time) bool { return u.expires.IsZero() || now.Before(u.expires) }

// parseUsers reads a users file. The error lists every bad line, as "line: why".
func parseUsers(data []byte) (*users, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	all := &users{passwords: map[string]*user{}, tokens: map[[sha256.Size]byte]*user{}}
	var errs []error
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if err := all.add(text); err != nil {
			errs = append(errs, fmt.Errorf("%d: %w", number, err))
		}
	}
	return all, errors.Join(errs...)
}

// Check reads a users file and tells what is wrong with it, one line each.
func Check(data []byte) error {
	_, err := parseUsers(data)
	return err
}

func (all *users) add(line string) error {
	name, rest, ok := strings.Cut(line, ":")
	words := strings.Fields(rest)
	switch {
	case len(line) > maxLine:
		return fmt.Errorf("it is longer than %d bytes", maxLine)
	case !ok || len(words) == 0:
		return errors.New("it is not name:hash roles=… scopes=… expires=…")
	case !validName(name):
		return fmt.Errorf("the name must have 1 to %d characters, none of them a control character", maxName)
	}
	u, hashed := &user{principal: &dataservice.Principal{Name: name}}, words[0]
	if err := u.attributes(words[1:]); err != nil {
		return err
	}
	if digits, token := strings.CutPrefix(hashed, tokenHash); token {
		sum, err := hex.DecodeString(digits)
		if err != nil || len(sum) != sha256.Size {
			return fmt.Errorf("the hash of a token is %s and %d hexadecimal digits", tokenHash, 2*sha256.Size)
		}
		if all.tokens[[sha256.Size]byte(sum)] != nil {
			return errors.New("the same token is there before")
		}
		all.tokens[[sha256.Size]byte(sum)] = u
		return nil
	}
	if all.passwords[u.principal.Name] != nil {
		return fmt.Errorf("%q has a password already", u.principal.Name)
	}
	var err error
	if u.hash, err = parseHash(hashed); err != nil {
		return err
	}
	if all.decoy == nil {
		all.decoy = u.hash.decoy()
	}
	all.passwords[u.principal.Name] = u
	return nil
}

// attributes reads what follows the hash.
func (u *user) attributes(words []string) error {
	seen := map[string]bool{}
	for _, word := range words {
		what, value, _ := strings.Cut(word, "=")
		if seen[what] {
			return fmt.Errorf("%s is said twice", what)
		}
		seen[what] = true
		var err error
		switch what {
		case "roles":
			u.principal.Roles, err = names("role", value)
		case "scopes":
			u.principal.Scopes, err = names("scope", value)
		case "expires":
			u.expires, err = expiry(value)
		default:
			return fmt.Errorf("%q is not roles=…, scopes=… or expires=…; lists have commas and no blanks", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func validName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, unicode.IsControl)
}

func names(what, text string) ([]string, error) {
	var out []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		if !validName(word) {
			return nil, fmt.Errorf("%q is not the name of a %s", word, what)
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	if len(out) > maxList {
		return nil, fmt.Errorf("it has more than %d %ss", maxList, what)
	}
	return out, nil
}

// expiry reads a day, whose end counts in UTC, or a time.
func expiry(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a day like 2027-06-30 nor a time like 2027-06-30T12:00:00Z", text)
	}
	return at, nil
}
