package rest

import (
	"context"
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// manyRoutes lists the batches of a service and what concerns its boxes.
func manyRoutes(s *dataservice.Service) []*route {
	var routes []*route
	add := func(method, path, name, wrapper string, c dataservice.CallQuery, status bool, refused string) {
		if s.Batches(&c) && method != http.MethodGet && method != http.MethodHead {
			routes = append(routes, &route{
				kind: batch, method: method, pattern: compile(strings.TrimSuffix(path, "/") + dataservice.BatchSuffix),
				name: name + dataservice.BatchSuffix, wrapper: exchange.Fold(wrapper + dataservice.BatchSuffix), target: c, status: status, refused: refused,
			})
		}
	}
	for _, r := range s.Resources {
		add(r.Method, r.Path, r.Name(), r.Method+r.Path, r.Call, r.ReturnStatus, r.Unsupported)
		add(http.MethodPost, r.RequestName(), r.Name(), r.Method+r.Path, r.Call, r.ReturnStatus, r.Unsupported)
	}
	for _, o := range s.Operations {
		add(http.MethodPost, o.Name, o.Name, o.Name, o.Call, o.ReturnStatus, o.Unsupported)
	}
	for _, name := range s.BoxOperations() {
		k, methods := control, []string{http.MethodGet, http.MethodPost}
		if name == dataservice.RequestBox {
			k, methods = box, []string{http.MethodPost}
		}
		for _, method := range methods {
			routes = append(routes, &route{kind: k, method: method, pattern: pattern{{literal: name}}, name: name, wrapper: exchange.Fold(name)})
		}
	}
	return routes
}

// answers tells whether a route answers more than that it was done.
func (r *route) answers() bool {
	return r.shape != nil || r.status || r.kind == box || r.kind == control && r.name != dataservice.AbortBoxcar
}

// work reads a request and gives what executes it.
func (b *binding) work(x *exchange.Exchange, to *route) (func(ctx context.Context, out result.Sink) (bool, error), error) {
	switch to.kind {
	case control:
		return func(ctx context.Context, out result.Sink) (bool, error) { return x.Control(ctx, b.run, to.name, out) }, nil
	case batch, box:
		list, err := b.many(x, to)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, out result.Sink) (bool, error) {
			if to.kind == batch {
				return x.DoBatch(ctx, b.run, list, out)
			}
			return x.DoBox(ctx, b.run, list, out)
		}, nil
	}
	values, err := gather(x, to, b.path)
	if err != nil {
		return nil, err
	}
	q := to.request(x, values)
	return func(ctx context.Context, out result.Sink) (bool, error) { return x.Do(ctx, b.run, q, out) }, nil
}

func (r *route) request(x *exchange.Exchange, v dataservice.Values) dataservice.Request {
	return dataservice.Request{Name: r.name, Target: r.target, Values: v, ID: x.ID, Status: r.status, Whole: r.whole, Caller: x.Caller}
}

// many reads the requests of a batch or a box.
func (b *binding) many(x *exchange.Exchange, to *route) ([]dataservice.Request, error) {
	data, err := x.Body()
	if err != nil {
		return nil, err
	}
	root, err := parseTree(x.R.Header.Get("Content-Type"), data)
	switch {
	case err != nil:
		return nil, err
	case to.kind == box:
		return b.boxed(x, root)
	}
	return b.batched(x, to, root)
}

// batched reads <name_batch_req><name><param>…</param></name>…</name_batch_req>.
// Variables of the path are the same for all.
func (b *binding) batched(x *exchange.Exchange, to *route, root exchange.Element) ([]dataservice.Request, error) {
	var list []dataservice.Request
	for _, one := range root.Children {
		values, err := one.Values()
		if err != nil {
			return nil, err
		}
		to.pattern.match(b.path, values)
		list = append(list, to.request(x, values))
	}
	return list, nil
}

// boxed reads <request_box>, whose children are bodies of operations and
// resources, batches among them. As in the original a body whose children hold
// elements is a batch, whatever it is called.
func (b *binding) boxed(x *exchange.Exchange, root exchange.Element) ([]dataservice.Request, error) {
	var list []dataservice.Request
	for _, one := range root.Children {
		to := b.named(exchange.Fold(one.Name))
		switch {
		case to == nil:
			return nil, badRequest("the box holds %q, which is no operation or resource of the service", exchange.Clip(one.Name))
		case to.refused != "":
			return nil, &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Message: to.refused}
		}
		if to.kind == batch || deep(one) {
			some, err := b.batched(x, to, one)
			if err != nil {
				return nil, err
			}
			list = append(list, some...)
			continue
		}
		values, err := one.Values()
		if err != nil {
			return nil, err
		}
		list = append(list, to.request(x, values))
	}
	return list, nil
}

// named finds a route by its folded envelope.
func (b *binding) named(wrapper string) *route {
	for _, r := range b.router.routes {
		if r.wrapper == wrapper && (r.kind == single || r.kind == batch) {
			return r
		}
	}
	return nil
}
