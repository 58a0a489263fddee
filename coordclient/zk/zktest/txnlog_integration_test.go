//go:build integration

package zktest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// The history is what was committed, in order, though each server in turn was
// not there: nothing that failed, nothing twice.
func TestHistory(t *testing.T) {
	t.Parallel()
	ensemble := zktest.StartEnsemble(t, 3)
	client, err := zk.Dial(t.Context(), zk.Options{Servers: ensemble.Addresses(), Root: "/here"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var want []string
	commit := func(ops ...coordclient.Op) {
		t.Helper()
		err := client.Commit(t.Context(), ops...)
		doubt := false // an answer was lost
		for errors.Is(err, coordclient.ErrUnavailable) || errors.Is(err, coordclient.ErrUnknownOutcome) {
			doubt = doubt || errors.Is(err, coordclient.ErrUnknownOutcome)
			err = client.Commit(t.Context(), ops...)
		}
		if _, refused := errors.AsType[*coordclient.CommitError](err); refused && doubt {
			err = nil // none of these can be done twice: the first was
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range ops {
			want = append(want, fmt.Sprint(op.Kind, op.Key, string(op.Value)))
		}
	}
	commit(coordclient.Create("/a/fence+", []byte("1")))
	for i, s := range ensemble {
		s.Kill(t)
		key := fmt.Sprintf("/a/log/%03d", i)
		ensemble.Leader(t)
		commit(coordclient.Check("/a/fence+", int64(i)), coordclient.Create(key, []byte("x")), coordclient.Set("/a/fence+", []byte("2"), int64(i)))
		err := client.Commit(t.Context(), coordclient.Create("/a/b/c", nil), coordclient.Create(key, nil))
		for errors.Is(err, coordclient.ErrUnavailable) || errors.Is(err, coordclient.ErrUnknownOutcome) {
			err = client.Commit(t.Context(), coordclient.Create("/a/b/c", nil), coordclient.Create(key, nil))
		}
		if !errors.Is(err, coordclient.ErrExists) {
			t.Errorf("created twice: %v", err)
		}
		commit(coordclient.Delete(key, 0))
		s.Restart(t)
		ensemble.Whole(t)
	}
	var have []string
	for _, c := range ensemble.History(t) {
		for _, op := range c.Ops("/here") {
			have = append(have, fmt.Sprint(op.Kind, op.Key, string(op.Value)))
		}
	}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
}
