package wsdl

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hooklift/gowsdl"

	"github.com/seed42aab489/belfry/plugin/task"
)

// bound is an operation of the binding that was chosen.
type bound struct {
	action, style string
	namespace     string // of rpc
}

// service picks a port and describes the operations of its binding.
func (r *reader) service() (task.RemoteService, error) {
	s, binding, operations := r.port11()
	if binding == "" {
		s, binding, operations = r.port12()
	}
	if binding == "" {
		return s, errors.New("it describes no port of SOAP 1.1 or 1.2 with an http or https address")
	}
	var portType *gowsdl.WSDLPortType
	for _, w := range r.all {
		for _, b := range w.Binding {
			if b.Name != binding {
				continue
			}
			for _, candidates := range r.all {
				for _, p := range candidates.PortTypes {
					if p.Name == local(b.Type) {
						portType = p
					}
				}
			}
		}
	}
	if portType == nil {
		return s, fmt.Errorf("the port type of binding %s is not defined", binding)
	}
	if len(portType.Operations) > MaxOperations {
		return s, fmt.Errorf("%d operations, at most %d", len(portType.Operations), MaxOperations)
	}
	for _, o := range portType.Operations {
		s.Operations = append(s.Operations, r.operation(o, operations[o.Name]))
	}
	return s, nil
}

func (r *reader) port11() (task.RemoteService, string, map[string]bound) {
	s := task.RemoteService{Version: "1.1"}
	for _, w := range r.all {
		for _, service := range w.Service {
			for _, p := range service.Ports {
				if !callable(p.SOAPAddress.Location) {
					continue
				}
				s.Endpoint = strings.TrimSpace(p.SOAPAddress.Location)
				name := local(p.Binding)
				return s, name, r.bound11(name)
			}
		}
	}
	return s, "", nil
}

func (r *reader) bound11(name string) map[string]bound {
	operations := map[string]bound{}
	for _, w := range r.all {
		for _, b := range w.Binding {
			if b.Name != name {
				continue
			}
			for _, o := range b.Operations {
				style := o.SOAPOperation.Style
				if style == "" {
					style = b.SOAPBinding.Style
				}
				operations[o.Name] = bound{o.SOAPOperation.SOAPAction, style, o.Input.SOAPBody.Namespace}
			}
		}
	}
	return operations
}

func (r *reader) port12() (task.RemoteService, string, map[string]bound) {
	s := task.RemoteService{Version: "1.2"}
	for _, e := range r.soap12 {
		for _, service := range e.Services {
			for _, p := range service.Ports {
				if !callable(p.Address.Location) {
					continue
				}
				s.Endpoint = strings.TrimSpace(p.Address.Location)
				name := local(p.Binding)
				return s, name, r.bound12(name)
			}
		}
	}
	return s, "", nil
}

func (r *reader) bound12(name string) map[string]bound {
	operations := map[string]bound{}
	for _, e := range r.soap12 {
		for _, b := range e.Bindings {
			if b.Name != name || b.Binding == nil {
				continue
			}
			for _, o := range b.Operations {
				style := o.Operation.Style
				if style == "" {
					style = b.Binding.Style
				}
				operations[o.Name] = bound{action: o.Operation.Action, style: style}
			}
		}
	}
	return operations
}

func callable(address string) bool {
	address = strings.TrimSpace(address)
	return strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://")
}

// boxcar are operations of the original's data services that its own scheduler
// leaves out (WSO2: DSTaskUtils).
var boxcar = []string{"begin_boxcar", "end_boxcar", "abort_boxcar"}

// operation describes an operation, and says why it cannot be scheduled if it
// cannot: a task has no input to give it.
func (r *reader) operation(o *gowsdl.WSDLOperation, b bound) task.RemoteOperation {
	described := task.RemoteOperation{Name: o.Name, Action: b.action, InOnly: o.Output.Message == ""}
	parts, ok := r.parts(o.Input.Message)
	switch {
	case slices.Contains(boxcar, o.Name):
		described.Why = "it is a step of a session (boxcarring), not work of its own"
	case o.Input.Message != "" && !ok:
		described.Why = "its message " + local(o.Input.Message) + " is not defined"
	case b.style == "rpc":
		for _, p := range parts {
			described.Parameters = append(described.Parameters, p.Name)
		}
		described.Payload = empty(o.Name, b.namespace)
	case len(parts) == 0:
	case len(parts) > 1 || parts[0].Element == "":
		for _, p := range parts {
			described.Parameters = append(described.Parameters, p.Name)
		}
	default:
		r.document(&described, local(parts[0].Element))
	}
	if len(described.Parameters) > 0 && described.Why == "" {
		described.Why = "it has parameters: " + strings.Join(described.Parameters, ", ")
	}
	if described.Why != "" {
		described.Payload = ""
	}
	return described
}

func (r *reader) parts(message string) ([]*gowsdl.WSDLPart, bool) {
	for _, w := range r.all {
		for _, m := range w.Messages {
			if m.Name == local(message) {
				return m.Parts, true
			}
		}
	}
	return nil, false
}

// document describes an operation whose input is an element.
func (r *reader) document(d *task.RemoteOperation, name string) {
	for _, s := range r.schemas {
		for _, e := range s.Elements {
			if e.Name != name {
				continue
			}
			d.Payload = empty(name, s.TargetNamespace)
			t := e.ComplexType
			if t == nil && e.Type != "" {
				if t = r.complexType(local(e.Type)); t == nil {
					d.Parameters = []string{name} // its text
					return
				}
			}
			if t != nil {
				d.Parameters, d.Why = inputs(t)
			}
			return
		}
	}
	d.Why = "its input " + name + " is not defined"
}

func (r *reader) complexType(name string) *gowsdl.XSDComplexType {
	for _, s := range r.schemas {
		for _, t := range s.ComplexTypes {
			if t.Name == name {
				return t
			}
		}
	}
	return nil
}

// inputs lists what a type holds.
func inputs(t *gowsdl.XSDComplexType) (names []string, why string) {
	for _, list := range [][]*gowsdl.XSDElement{t.Sequence, t.Choice, t.SequenceChoice, t.All} {
		for _, e := range list {
			name := e.Name
			if name == "" {
				name = local(e.Ref)
			}
			names = append(names, name)
		}
	}
	for _, a := range t.Attributes {
		if a.Use == "required" {
			names = append(names, a.Name)
		}
	}
	if len(t.Any) > 0 || t.ComplexContent.Extension.Base != "" || t.SimpleContent.Extension.Base != "" {
		return names, "its input extends another type, or may be anything"
	}
	return names, ""
}

// empty is an element without content.
func empty(name, namespace string) string {
	if namespace == "" {
		return "<" + name + "/>"
	}
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(namespace)) // to a builder
	return "<p:" + name + ` xmlns:p="` + escaped.String() + `"/>`
}
