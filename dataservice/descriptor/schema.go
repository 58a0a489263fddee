package descriptor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// Namespaces that a descriptor may use beside its own, which is none.
const (
	vaultNamespace = "http://org.wso2.securevault/configuration"
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
)

// shape says what an element may hold. Source: WSO2 DBConstants.DBSFields and
// the factories that read them.
type shape struct {
	attrs    []string
	children map[string]*shape
	text     bool
	// Names in Belfry's namespace.
	ownAttrs, ownChildren []string
}

func words(s string) []string { return strings.Fields(s) }

func leaf(attrs string) *shape { return &shape{attrs: words(attrs)} }

func text(attrs string) *shape { return &shape{attrs: words(attrs), text: true} }

// descriptorShape builds the shape of <data>.
func descriptorShape() *shape {
	property := text("name")
	property.children = map[string]*shape{"property": property}
	callQuery := &shape{attrs: words("href requiredRoles"), children: map[string]*shape{
		"with-param": leaf("name query-param column"),
	}}
	field := words("name column query-param value rdf-ref-uri xsdType requiredRoles export exportType optional namespace arrayName")
	attribute := &shape{attrs: field}
	element := &shape{attrs: field}
	element.children = map[string]*shape{"element": element, "attribute": attribute, "call-query": callQuery}

	query := queryShape(property)
	query.children["result"] = &shape{
		attrs: words("element rowName defaultNamespace xsltPath outputType rdfBaseURI useColumnNumbers escapeNonPrintableChar"),
		// The text is the template of a JSON result.
		text: true, children: element.children,
	}
	return &shape{
		ownAttrs: words("requiredRoles"),
		attrs: words("name description serviceNamespace baseURI serviceGroup serviceStatus transports " +
			"enableBatchRequests enableBoxcarring disableLegacyBoxcarringMode disableStreaming enableDTP txManagerJNDIName publishSwagger"),
		children: map[string]*shape{
			"description":   text(""),
			"config":        {attrs: words("id enableOData"), children: map[string]*shape{"property": property}},
			"query":         query,
			"event-trigger": triggerShape(),
			"operation": {attrs: words("name disableStreaming returnRequestStatus"), ownAttrs: words("requiredRoles"), children: map[string]*shape{
				"description": text(""), "call-query": callQuery,
			}},
			"resource": {attrs: words("method path disableStreaming returnRequestStatus"), ownAttrs: words("requiredRoles"), children: map[string]*shape{
				"description": text(""), "call-query": callQuery,
			}},
			"authorization_provider": {attrs: words("class"), children: map[string]*shape{
				"property": property, "Parameter": text("name"),
			}},
			"policy": text("key"), "enableSec": text(""),
			"passwordManager": {text: true, children: map[string]*shape{
				"protectedTokens": text(""), "passwordProvider": text(""),
			}},
			"passwordProvider": text(""), "protectedTokens": text(""),
		},
	}
}

func queryShape(property *shape) *shape {
	properties := &shape{children: map[string]*shape{"property": property}}
	sheet := func(names string) *shape {
		s := &shape{children: map[string]*shape{}}
		for _, n := range words(names) {
			s.children[n] = text("")
		}
		return s
	}
	bounds := leaf("minimum maximum")
	return &shape{
		ownAttrs: words("requiredRoles"),
		attrs:    words("id useConfig input-event-trigger output-event-trigger returnGeneratedKeys keyColumns returnUpdatedRowCount inputNamespace"),
		children: map[string]*shape{
			"sql": text("dialect"), "sparql": text(""), "expression": text(""), "scraperVariable": text(""),
			"excel":      sheet("workbookname startingrow maxrowcount hasheader headerrow"),
			"gspread":    sheet("worksheetnumber startingrow maxrowcount hasheader headerrow"),
			"properties": properties,
			"param": {
				attrs: words("name sqlType type paramType ordinal defaultValue forceDefault optional structType"),
				children: map[string]*shape{
					"validateLongRange": bounds, "validateDoubleRange": bounds, "validateLength": bounds,
					"validatePattern": leaf("pattern"),
					"validateCustom":  {attrs: words("class"), children: map[string]*shape{"properties": properties}},
				},
			},
		},
	}
}

func triggerShape() *shape {
	return &shape{
		attrs: words("id language"),
		children: map[string]*shape{
			"expression": text(""), "target-topic": text(""),
			"subscriptions": {children: map[string]*shape{"subscription": text("")}},
		},
		ownAttrs:    words("language mode hold cool-down digest"),
		ownChildren: words("re-arm subject body"),
	}
}

// conform reports every element, attribute and text that the shape does not
// know, and goes on into what it knows.
func (r *reader) conform(n *node, s *shape) {
	for _, a := range n.attrs {
		switch a.Space {
		case "":
			if !slices.Contains(s.attrs, a.Local) {
				r.addf(a.pos, "unknown attribute %q of <%s>%s", a.Local, n.Local, r.meant(a.Local, s.attrs, "%q"))
			}
		case dataservice.BelfryNamespace:
			if !slices.Contains(s.ownAttrs, a.Local) {
				r.addf(a.pos, "unknown Belfry attribute %q of <%s>%s", a.Local, n.Local, r.meant(a.Local, s.ownAttrs, "%q"))
			}
		case vaultNamespace:
			if a.Local != "secretAlias" {
				r.addf(a.pos, "unknown attribute %q in the secure vault's namespace%s", a.Local, r.meant(a.Local, words("secretAlias"), "%q"))
			}
		case strictxml.Namespace, xsiNamespace:
		default:
			r.addf(a.pos, "attribute %q is in a namespace that descriptors do not use: %q", a.Local, a.Space)
		}
	}
	if offset := len(n.text) - len(strings.TrimLeft(n.text, " \t\r\n")); !s.text && offset < len(n.text) {
		r.addf(n.textPos(r.doc, offset), "<%s> holds no text", n.Local)
	}
	names := make([]string, 0, len(s.children))
	for name := range s.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, c := range n.children {
		switch child := s.children[c.Local]; {
		case c.Space == "" && child != nil:
			r.conform(c, child)
		case c.Space == "":
			r.addf(c.pos, "unknown element <%s> in <%s>%s", c.Local, n.Local, r.meant(c.Local, names, "<%s>"))
		case c.Space == dataservice.BelfryNamespace && slices.Contains(s.ownChildren, c.Local):
			r.conform(c, text(""))
		case c.Space == dataservice.BelfryNamespace:
			r.addf(c.pos, "unknown Belfry element <%s> in <%s>%s", c.Local, n.Local, r.meant(c.Local, s.ownChildren, "<%s>"))
		default:
			r.addf(c.pos, "element <%s> is in a namespace that descriptors do not use: %q", c.Local, c.Space)
		}
	}
}

// maxHints bounds how many faults of a file get a hint, which takes time.
const maxHints = 5 * MaxProblems

func (r *reader) meant(wrote string, valid []string, format string) string {
	if len(r.faults) >= maxHints {
		return ""
	}
	return meant(wrote, valid, format)
}

// meant ends a message with the valid name nearest to what was written, or with
// all of them when none is near.
func meant(wrote string, valid []string, format string) string {
	valid = slices.DeleteFunc(slices.Clone(valid), func(v string) bool { return v == "" })
	if near := nearest(wrote, valid); near != "" {
		return "; did you mean " + fmt.Sprintf(format, near) + "?"
	}
	if len(valid) == 0 || len(valid) > 12 {
		return ""
	}
	list := make([]string, len(valid))
	for i, v := range valid {
		list[i] = fmt.Sprintf(format, v)
	}
	return "; it may be " + strings.Join(list, ", ")
}

// longestName is the longest that is compared with the valid ones.
const longestName = 64

// nearest finds the valid name that takes the fewest edits, if few enough.
func nearest(wrote string, valid []string) string {
	if len(wrote) > longestName {
		return ""
	}
	best, bound := "", max(2, len(wrote)/3)+1
	for _, v := range valid {
		if d := distance(strings.ToLower(wrote), strings.ToLower(v)); d < bound {
			best, bound = v, d
		}
	}
	return best
}

// distance counts the single-character edits, and swaps of neighbours, between
// two words.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row := make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
