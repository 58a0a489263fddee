package query

import (
	"bytes"
	"context"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// observation is what an event trigger is to be shown once the request has
// succeeded.
type observation struct {
	query   string
	trigger *dataservice.EventTrigger
	input   bool
	doc     []byte
}

// noteInput keeps what a query was given, if it has an input trigger.
func (x *run) noteInput(c *compiled, b *bound) {
	if c.input == nil || x.hook == nil {
		return
	}
	if limit := x.limits.Events; len(x.seen) >= limit {
		if len(x.seen) == limit {
			x.engine.opts.Log.Warn("event triggers see no more of this request", "service", x.svc.Name, "request", x.req.Name,
				"limit", limit, "setting", "limits.observations")
			x.seen = append(x.seen, observation{}) // say it once
		}
		return
	}
	x.seen = append(x.seen, observation{query: c.q.ID, trigger: c.input, input: true, doc: inputDocument(c, b)})
}

// inputDocument is <queryId><param>value</param>…</queryId>, without namespace;
// the values of an array repeat the element, a null is an empty one.
func inputDocument(c *compiled, b *bound) []byte {
	var buf bytes.Buffer
	w := result.NewXML(&buf, 0)
	_ = w.Open(result.Name{Local: c.q.ID}, false) // writing to memory does not fail
	for i, p := range c.params {
		values := b.texts[i]
		if len(values) == 0 {
			values = []string{""}
		}
		for _, v := range values {
			_ = w.Leaf(result.Name{Local: p.Name}, result.Value{Valid: true, Text: v})
		}
	}
	_ = w.Close()
	_ = w.Flush()
	return buf.Bytes()
}

// observe shows the request to its event triggers. What fails is logged: nothing
// that a trigger does makes a request fail.
func (x *run) observe(ctx context.Context, c *compiled, rec *result.Recording) [][]byte {
	if x.hook == nil {
		return nil
	}
	seen := x.seen
	if c.output != nil && !rec.Empty() {
		var buf bytes.Buffer
		w := result.NewXML(&buf, x.limits.Bytes)
		err := rec.Replay(w)
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			x.hookFailed(c.output, err)
		} else {
			seen = append(seen, observation{query: c.q.ID, trigger: c.output, doc: buf.Bytes()})
		}
	}
	var hits [][]byte
	for _, o := range seen {
		if o.trigger == nil {
			continue
		}
		hit, err := x.hook.Observe(ctx, dataservice.Observation{
			Service: x.svc, Query: o.query, Trigger: o.trigger, Input: o.input, Document: o.doc,
			Request: x.req.ID, Fire: x.req.Fire, At: x.engine.opts.Now(),
		})
		switch {
		case err != nil:
			x.hookFailed(o.trigger, err)
		case hit != nil:
			hits = append(hits, hit)
		}
	}
	return hits
}

func (x *run) hookFailed(t *dataservice.EventTrigger, err error) {
	x.engine.opts.Log.Error("event trigger", "service", x.svc.Name, "request", x.req.Name, "trigger", t.ID, "err", err)
}

// accept makes the hits durable.
func (x *run) accept(ctx context.Context, hits [][]byte) error {
	if len(hits) == 0 || x.hook == nil {
		return nil
	}
	return x.hook.Accept(ctx, hits)
}
