package plugin

import (
	"net/url"

	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/task"
)

// targets tells what stands behind tasks of every kind: the host behind
// operations and whatever else it must offer, the action itself behind calls
// of others.
type targets struct{ p *Plugin }

var _ engine.Targets = targets{}

func (t targets) Target(info task.Info) (task.Target, bool) {
	if info.Do == nil {
		return t.p.d.Host.Target(info)
	}
	if need := info.Needs(); need != "" && !t.p.offers(need) {
		return task.Target{}, false
	}
	return task.Target{Hash: info.Do.Hash(), Limits: limitsOf(info)}, true
}

// limitsOf names the host that is called, so that tasks of one receiver share
// its cap.
func limitsOf(info task.Info) []string {
	var address string
	switch info.Kind() {
	case task.KindHTTP:
		address = info.Do.HTTP.URL
	case task.KindSOAP:
		address = info.Do.SOAP.Endpoint
	default:
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	return []string{"web:" + u.Host}
}
