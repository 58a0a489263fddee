package descriptor

import (
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

func (r *reader) trigger(n *node) {
	t := &dataservice.EventTrigger{Position: n.pos, ID: r.required(n, "id"), Language: "XPath"}
	if r.twice(n, "event trigger", "id", t.ID) {
		return
	}
	if l := strings.TrimSpace(n.get("language")); strings.EqualFold(l, "CEL") {
		r.addf(n.at("language"), `CEL is Belfry's own: write b:language="CEL" with xmlns:b=%q`, dataservice.BelfryNamespace)
	} else if l != "" && !strings.EqualFold(l, "XPath") {
		r.addf(n.at("language"), "language %q is not known%s", l, r.meant(l, []string{"XPath"}, "%q"))
	}
	t.Expression = r.needText(n, "expression")
	t.Topic = r.needText(n, "target-topic")
	if list := r.single(n, "subscriptions"); list == nil {
		r.addf(n.pos, "<event-trigger> needs <subscriptions>")
	} else {
		for _, s := range list.all("subscription") {
			if uri := strings.TrimSpace(s.text); uri == "" || !strings.Contains(uri, ":") {
				r.addf(s.pos, "a subscription is a URI, such as mailto:ops@example.org or https://example.org/hook")
			} else {
				t.Subscriptions = append(t.Subscriptions, uri)
			}
		}
	}
	r.ownTrigger(n, t)
	r.service.Triggers = append(r.service.Triggers, t)
}

// ownTrigger reads what is said in Belfry's namespace.
func (r *reader) ownTrigger(n *node, t *dataservice.EventTrigger) {
	own := func(name string) *attr { return n.attrNS(dataservice.BelfryNamespace, name) }
	if a := own("language"); a != nil {
		switch {
		case strings.EqualFold(a.value, "CEL"):
			t.Language = "CEL"
		case !strings.EqualFold(a.value, "XPath"):
			r.addf(a.pos, "language %q is not known%s", a.value, r.meant(a.value, words("XPath CEL"), "%q"))
		}
	}
	if a := own("mode"); a != nil {
		switch a.value {
		case "edge":
			t.Edge = true
		case "level":
		default:
			r.addf(a.pos, "mode %q is not known%s", a.value, r.meant(a.value, words("level edge"), "%q"))
		}
	}
	t.Hold = r.duration(own("hold"))
	t.CoolDown = r.duration(own("cool-down"))
	t.Digest = r.duration(own("digest"))
	t.Rearm = r.ownText(n, "re-arm")
	t.Subject = r.ownText(n, "subject")
	t.Body = r.ownText(n, "body")
	if again := n.firstNS(dataservice.BelfryNamespace, "re-arm"); again != nil && !t.Edge {
		r.addf(again.pos, `<re-arm> means something only with mode="edge"`)
	}
	if strings.ContainsAny(t.Subject, "\r\n") {
		r.addf(n.firstNS(dataservice.BelfryNamespace, "subject").pos, "a subject is one line")
	}
}

// maxDuration bounds hold, cool-down and digest.
const maxDuration = 31 * 24 * time.Hour

// duration reads "90s", "5m", "1h30m", or a bare number of milliseconds; an
// absent one is empty.
func (r *reader) duration(a *attr) string {
	if a == nil {
		return ""
	}
	value := strings.TrimSpace(a.value)
	d, err := time.ParseDuration(value)
	if n, bare := strconv.ParseInt(value, 10, 32); bare == nil {
		d, err = time.Duration(n)*time.Millisecond, nil
	}
	if err != nil || d <= 0 || d > maxDuration {
		r.addf(a.pos, `%s is %q; it must be a time above zero and up to 744h, such as "90s", "5m" or "1h30m"`, a.Local, a.value)
	}
	return value
}

func (r *reader) ownText(n *node, name string) string {
	found := n.firstNS(dataservice.BelfryNamespace, name)
	if found == nil {
		return ""
	}
	value := strings.TrimSpace(found.text)
	if value == "" {
		r.addf(found.pos, "<%s> is empty", name)
	}
	for _, c := range n.children {
		if c != found && c.Name == found.Name {
			r.addf(c.pos, "a second <%s> in <%s>", name, n.Local)
		}
	}
	return value
}

// needText reads the text of a child that must be there.
func (r *reader) needText(n *node, name string) string {
	c := r.single(n, name)
	if c == nil {
		r.addf(n.pos, "<%s> needs <%s>", n.Local, name)
		return ""
	}
	value := strings.TrimSpace(c.text)
	if value == "" {
		r.addf(c.pos, "<%s> is empty", name)
	}
	return value
}
