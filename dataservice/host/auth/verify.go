package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

// Bounds of the verification of passwords.
const (
	maxRemembered = 10_000
	maxWaiting    = 256
	hashWait      = 5 * time.Second // for one's turn
)

// proof stands for a name and a password that were given: a digest under a key
// that this process alone has, so that memory holds no password.
type proof [sha256.Size]byte

// verifier compares passwords with their hashes, few at a time, and remembers for
// a while which were right. Safe for concurrent use.
type verifier struct {
	key   []byte
	slots chan struct{} // a token for each hash that is computed
	keep  time.Duration
	now   func() time.Time

	mu         sync.Mutex // guards what follows
	remembered map[proof]memory
	running    map[proof]*attempt
}

type memory struct {
	principal *dataservice.Principal
	until     time.Time
}

// attempt is a verification under way; others with the same proof wait for it.
type attempt struct {
	done chan struct{}
	ok   bool
	busy bool
}

func newVerifier(hashes int, keep time.Duration, now func() time.Time) *verifier {
	return &verifier{
		key: random(32), slots: make(chan struct{}, hashes), keep: keep, now: now,
		remembered: map[proof]memory{}, running: map[proof]*attempt{},
	}
}

// proofOf tells apart what was given, and the version of the users file.
func (v *verifier) proofOf(version int, name, password string) proof {
	mac := hmac.New(sha256.New, v.key)
	var head [16]byte
	binary.BigEndian.PutUint64(head[:8], uint64(version))
	binary.BigEndian.PutUint64(head[8:], uint64(len(name)))
	mac.Write(head[:])
	mac.Write([]byte(name))
	mac.Write([]byte(password))
	return proof(mac.Sum(nil))
}

// recall gives the principal that proved itself a while ago; nil if none did.
func (v *verifier) recall(p proof) *dataservice.Principal {
	v.mu.Lock()
	defer v.mu.Unlock()
	if m, ok := v.remembered[p]; ok && v.now().Before(m.until) {
		return m.principal
	}
	return nil
}

// verify compares a password with a hash. busy: too many are compared already.
// Of requests with the same proof, one does the work; first tells which.
func (v *verifier) verify(ctx context.Context, p proof, h *hash, password string) (ok, first, busy bool) {
	v.mu.Lock()
	a := v.running[p]
	if a == nil {
		if len(v.running) >= maxWaiting {
			v.mu.Unlock()
			return false, true, true
		}
		a = &attempt{done: make(chan struct{})}
		v.running[p], first = a, true
	}
	v.mu.Unlock()
	if !first {
		select {
		case <-a.done:
			return a.ok, false, a.busy
		case <-ctx.Done():
			return false, false, true
		}
	}
	a.ok, a.busy = v.compute(h, password)
	v.mu.Lock()
	delete(v.running, p)
	v.mu.Unlock()
	close(a.done)
	return a.ok, true, a.busy
}

// compute waits for its turn. It does not end with its request: others may wait
// for the outcome.
func (v *verifier) compute(h *hash, password string) (ok, busy bool) {
	turn := time.NewTimer(hashWait)
	defer turn.Stop()
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
		return h.matches(password), false
	case <-turn.C:
		return false, true
	}
}

// remember keeps who proved itself, until then at the latest; zero: no bound.
func (v *verifier) remember(p proof, who *dataservice.Principal, then time.Time) {
	if v.keep <= 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if len(v.remembered) >= maxRemembered {
		for old, m := range v.remembered {
			if !now.Before(m.until) {
				delete(v.remembered, old)
			}
		}
	}
	if len(v.remembered) >= maxRemembered {
		clear(v.remembered) // rather a hash more than a list to keep
	}
	until := now.Add(v.keep)
	if !then.IsZero() && then.Before(until) {
		until = then
	}
	v.remembered[p] = memory{who, until}
}
