package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Bounds of what a hash in the users file may cost, and of a password.
const (
	maxMemory   = 256 << 10 // KiB of argon2id
	maxPasses   = 16
	maxLanes    = 16
	maxCost     = 14 // of bcrypt
	maxPassword = 1024
	minPassword = 8
)

// What HashPassword makes: the first of OWASP's recommendations for argon2id.
const (
	newMemory = 19 << 10 // KiB
	newPasses = 2
	newLanes  = 1
	saltBytes = 16
	keyBytes  = 32
)

// hash is a password's, ready to be compared with. It is not changed.
type hash struct {
	bcrypt        []byte // nil: argon2id
	memory        uint32 // KiB
	passes        uint32
	lanes         uint8
	salt, key     []byte
	neverMatching bool // a decoy: it costs the same and matches nothing
}

// parseHash reads a PHC string of argon2id or a bcrypt hash.
func parseHash(text string) (*hash, error) {
	switch {
	case strings.HasPrefix(text, "$argon2id$"):
		return parseArgon(text)
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		cost, err := bcrypt.Cost([]byte(text))
		if err != nil {
			return nil, errors.New("the bcrypt hash is not well-formed")
		}
		if cost > maxCost {
			return nil, fmt.Errorf("the bcrypt hash has cost %d, at most %d is taken", cost, maxCost)
		}
		return &hash{bcrypt: []byte(text)}, nil
	}
	return nil, errors.New("the hash is neither argon2id ($argon2id$…), bcrypt ($2a$, $2b$, $2y$) nor a token's ($sha256$…); make one with `belfryd users hash`")
}

func parseArgon(text string) (*hash, error) {
	h := &hash{}
	parts := strings.Split(text, "$") // "", argon2id, v=19, m=…,t=…,p=…, salt, key
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errors.New("the argon2id hash is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$key")
	}
	var err error
	if n, scanned := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); n != 3 || scanned != nil {
		return nil, errors.New("the argon2id hash has no parameters like m=19456,t=2,p=1")
	}
	if h.memory < 8*uint32(h.lanes) || h.memory > maxMemory || h.passes < 1 || h.passes > maxPasses || h.lanes < 1 || h.lanes > maxLanes {
		return nil, fmt.Errorf("the argon2id hash is beyond m=%d,t=%d,p=%d, or too small", maxMemory, maxPasses, maxLanes)
	}
	if h.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return nil, errors.New("the salt of the argon2id hash is not 8 to 64 bytes in base64")
	}
	if h.key, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil || len(h.key) < 16 || len(h.key) > 64 {
		return nil, errors.New("the key of the argon2id hash is not 16 to 64 bytes in base64")
	}
	return h, nil
}

// decoy costs what h costs and matches nothing.
func (h *hash) decoy() *hash {
	d := *h
	d.neverMatching = true
	return &d
}

// matches takes as long for one password as for another.
func (h *hash) matches(password string) bool {
	if h.bcrypt != nil {
		return bcrypt.CompareHashAndPassword(h.bcrypt, []byte(password)) == nil && !h.neverMatching
	}
	key := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1 && !h.neverMatching
}

// HashPassword gives the argon2id hash of a password, for a users file.
func HashPassword(password string) (string, error) {
	if len(password) < minPassword || len(password) > maxPassword {
		return "", fmt.Errorf("a password has %d to %d bytes", minPassword, maxPassword)
	}
	salt := random(saltBytes)
	key := argon2.IDKey([]byte(password), salt, newPasses, newMemory, newLanes, keyBytes)
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, newMemory, newPasses, newLanes, text(salt), text(key)), nil
}

const tokenHash = "$sha256$"

// NewToken gives a bearer token of 256 random bits, and its hash for a users file.
func NewToken() (token, hashed string) {
	token = "belfry_" + base64.RawURLEncoding.EncodeToString(random(32))
	sum := sha256.Sum256([]byte(token))
	return token, tokenHash + hex.EncodeToString(sum[:])
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
