package env

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// guarded is a port through which nothing is changed without consent. All that the
// companion changes goes through one of its two methods, so no command has to
// remember to ask.
type guarded struct {
	port
	consent func(ctx context.Context) error
}

// Commit asks for consent first.
func (g guarded) Commit(ctx context.Context, ops ...coordclient.Op) error {
	if err := g.consent(ctx); err != nil {
		return err
	}
	return g.port.Commit(ctx, ops...)
}

// SendReceive asks for consent first, unless the host would only tell something.
func (g guarded) SendReceive(ctx context.Context, to coordclient.MemberID, verb string, request []byte) ([]byte, error) {
	if !call.Reads(verb) {
		if err := g.consent(ctx); err != nil {
			return nil, err
		}
	}
	return g.port.SendReceive(ctx, to, verb, request)
}

// Read is coordclient.Reader's, where the port has it.
func (g guarded) Read(ctx context.Context, key string) (coordclient.Entry, error) {
	if r, ok := g.port.(coordclient.Reader); ok {
		return r.Read(ctx, key)
	}
	e, _, err := g.Get(ctx, key)
	return e, err
}

// Rollover is of the port, where it has such a thing; else nothing is known.
func (g guarded) Rollover(ctx context.Context) (coordclient.Rollover, error) {
	r, ok := g.port.(interface {
		Rollover(ctx context.Context) (coordclient.Rollover, error)
	})
	if !ok {
		return coordclient.Rollover{}, nil
	}
	return r.Rollover(ctx)
}

// guard makes of a port one that keeps to what the target and the flags allow. Only
// a command is asked about, in a production context: screens ask in their own way.
func (e *Env) guard(t Target, p port, command bool) port {
	switch {
	case e.ReadOnly || t.ReadOnly:
		return guarded{port: p, consent: func(context.Context) error { return e.refusal(t) }}
	case t.Production && command && IsTerminal(e.In) && IsTerminal(e.Err):
		var once sync.Once
		var answer error
		return guarded{port: p, consent: func(ctx context.Context) error {
			once.Do(func() { answer = e.ask(ctx, t) })
			return answer
		}}
	}
	return p
}

// refusal says why nothing may be changed, and how that would change.
func (e *Env) refusal(t Target) error {
	if e.ReadOnly {
		return &failure.Error{Code: failure.CodeUnauthorised, Message: "nothing was changed: --read-only was given", Hint: "leave it out to change something"}
	}
	return &failure.Error{
		Code: failure.CodeUnauthorised, Message: "nothing was changed: context " + t.Name() + " is read-only",
		Hint: "choose another with --context, or let it change things with `belfry context set " + t.Name() + " --read-only=false`",
	}
}

// ask asks a person whether a command may change a production context, unless that
// was agreed to already.
func (e *Env) ask(ctx context.Context, t Target) error {
	if e.Agreed {
		return nil
	}
	fmt.Fprintf(e.Err, "%s changes %s, a production context. Go on? [y/N] ", e.Command, t.Name())
	answer, err := e.line(ctx)
	if err == nil && !yes(answer) {
		err = ErrCancelled
	}
	return err
}
