package zk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// errNotFirst: the candidate is gone, or the term was taken by another.
var errNotFirst = errors.New("the candidacy is over")

// Lead stands for a role; see coordclient.Elector. The term is kept at the key
// /election/<role>, whose version is one less, so that a commit with
// Check(key, term-1) is fenced by it. When the session is Lost it returns
// ErrUnavailable.
func (m *Member) Lead(ctx context.Context, role string, f func(ctx context.Context, term coordclient.Term) error) error {
	key := "/election/" + role
	if err := coordclient.CheckKey(key); err != nil {
		return fmt.Errorf("lead: %w", err)
	}
	for {
		if err := m.healthy(ctx); err != nil {
			return m.leadError(ctx, role, err)
		}
		led, err := m.leadOnce(ctx, role, key, f)
		if led && err != nil {
			return err
		}
		if err != nil {
			m.log.Debug("standing for a role", "role", role, "err", err)
			if err := m.again(ctx); err != nil {
				return m.leadError(ctx, role, err)
			}
		}
	}
}

// leadError is why Lead returns without f's error.
func (m *Member) leadError(ctx context.Context, role string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if lerr := m.usable(); lerr != nil {
		err = lerr
	}
	return fmt.Errorf("lead %s: %w", role, err)
}

// leadOnce stands, waits, and runs f once. It reports whether f has run: then
// the error ends Lead.
func (m *Member) leadOnce(ctx context.Context, role, key string, f func(context.Context, coordclient.Term) error) (bool, error) {
	dir := m.paths.role(role)
	token := random()
	defer m.withdraw(dir, token)
	if err := m.stand(ctx, dir, token); err != nil {
		return false, err
	}
	name, err := m.first(ctx, dir, token)
	if err != nil {
		return false, err
	}
	term, err := m.nextTerm(ctx, key, dir+"/"+name)
	if err != nil {
		return false, err
	}
	return true, m.lead(ctx, role, term, f)
}

// stand makes a candidate, with the token in its name: that tells it even if
// the answer is lost.
func (m *Member) stand(ctx context.Context, dir, token string) error {
	if err := m.ensure(ctx, dir); err != nil {
		return err
	}
	// It waits for the answer even if ctx ends: a candidate must not come to be
	// after it was withdrawn.
	_, err := m.multi(context.WithoutCancel(ctx), m.checkMember(m.id),
		&zk.CreateRequest{Path: dir + "/" + token + "-", Data: []byte(m.id), Acl: m.acl, Flags: zk.FlagEphemeralSequential})
	if err == nil || !answered(err) {
		return nil // if it is not there, first will find out
	}
	m.dirs.forget()
	return err
}

// first waits until the candidate is the first of its directory, and names it.
// It watches the one before it alone.
func (m *Member) first(ctx context.Context, dir, token string) (string, error) {
	for {
		if err := m.healthy(ctx); err != nil {
			return "", err
		}
		if err := m.sync(ctx); err != nil {
			return "", err
		}
		names, err := m.children(ctx, dir)
		if err != nil {
			return "", readError(err)
		}
		slices.SortFunc(names, func(a, b string) int { return cmp.Compare(sequence(a), sequence(b)) })
		i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, token+"-") })
		switch i {
		case -1:
			return "", errNotFirst
		case 0:
			return names[0], nil
		}
		_, changed, err := m.watched(ctx, dir+"/"+names[i-1])
		if errors.Is(err, zk.ErrNoNode) {
			continue
		}
		if err != nil {
			return "", readError(err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// sequence is the number at the end of a candidate's name; what has none comes
// last.
func sequence(name string) int64 {
	n, err := strconv.ParseInt(name[strings.LastIndexByte(name, '-')+1:], 10, 64)
	if err != nil {
		return 1 << 62
	}
	return n
}

// nextTerm commits a term greater than all before, if the candidate is still
// there.
func (m *Member) nextTerm(ctx context.Context, key, candidate string) (coordclient.Term, error) {
	path := m.paths.entry(key)
	if err := m.ensure(ctx, parent(path)); err != nil {
		return 0, err
	}
	requests := []any{m.checkMember(m.id), &zk.CheckVersionRequest{Path: candidate, Version: 0}}
	v, err := m.value(ctx, path)
	term := coordclient.Term(1)
	switch {
	case errors.Is(err, zk.ErrNoNode):
		requests = append(requests, &zk.CreateRequest{Path: path, Data: []byte(m.id), Acl: m.acl})
	case err != nil:
		return 0, readError(err)
	default:
		requests = append(requests, &zk.SetDataRequest{Path: path, Data: []byte(m.id), Version: v.stat.Version})
		term = coordclient.Term(v.stat.Version) + 2
	}
	if _, err := m.multi(ctx, requests...); err != nil {
		return 0, fmt.Errorf("term %d: %w", term, writeError(err))
	}
	return term, nil
}

// lead runs f until the session is not Healthy any more. Its error is f's,
// unless f ended because its context did.
func (m *Member) lead(ctx context.Context, role string, term coordclient.Term, f func(context.Context, coordclient.Term) error) error {
	led, cancel := context.WithCancelCause(ctx)
	state, changed := m.State()
	if state != coordclient.Healthy {
		cancel(m.Err())
	}
	var watch sync.WaitGroup
	watch.Go(func() { // ends when f has returned, or the session is not Healthy
		select {
		case <-changed:
			cancel(m.Err())
		case <-led.Done():
		}
	})
	err := f(led, term)
	over := led.Err() != nil
	cancel(nil)
	watch.Wait()
	ours := err == nil || errors.Is(err, context.Canceled)
	now, _ := m.State()
	switch {
	case ctx.Err() != nil && err == nil:
		return ctx.Err()
	case ctx.Err() == nil && now == coordclient.Lost && ours:
		return fmt.Errorf("lead %s: %w", role, m.usable())
	case ctx.Err() == nil && over && ours:
		return nil // to lead again
	}
	return err
}

// withdraw removes the candidate, at once or as soon as the servers answer; if
// they do not, the end of the session does.
func (m *Member) withdraw(dir, token string) {
	ctx, cancel := context.WithTimeout(context.Background(), m.health.t())
	defer cancel()
	if m.withdrawOnce(ctx, dir, token) == nil {
		return
	}
	m.background(func() { // ends with the session at the latest
		for m.again(context.Background()) == nil {
			if m.withdrawOnce(context.Background(), dir, token) == nil {
				return
			}
		}
	})
}

func (m *Member) withdrawOnce(ctx context.Context, dir, token string) error {
	if err := m.sync(ctx); err != nil {
		return err
	}
	names, err := m.children(ctx, dir)
	if errors.Is(err, zk.ErrNoNode) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, token+"-") {
			continue
		}
		if err := m.deleteNode(ctx, dir+"/"+name); err != nil && !errors.Is(err, zk.ErrNoNode) {
			return err
		}
	}
	return nil
}
