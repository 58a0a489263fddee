package wsdl

import (
	"path"

	"github.com/seed42aab489/belfry/dataservice"
)

// Address is where a service is reached: "http://host:8280/services/Stock". An
// empty one is not offered.
type Address struct{ HTTP, HTTPS string }

// binding is one of a service's, with its endpoints.
type binding struct {
	name     string // after the service's name
	prefix   string // of its namespace
	endpoint string // after the service's name and a dot
}

var (
	soap11   = binding{"SOAP11Binding", "soap", "SOAP11Endpoint"}
	soap12   = binding{"SOAP12Binding", "soap12", "SOAP12Endpoint"}
	overHTTP = binding{"HttpBinding", "http", "HTTPEndpoint"}
)

// WSDL11 describes a service by WSDL 1.1.
func WSDL11(s *dataservice.Service, at Address) []byte {
	d := describe(s)
	root := el("wsdl:definitions", "xmlns:wsdl", "http://schemas.xmlsoap.org/wsdl/", "xmlns:wsaw", "http://www.w3.org/2006/05/addressing/wsdl",
		"xmlns:http", "http://schemas.xmlsoap.org/wsdl/http/", "xmlns:xs", xsdSpace, "xmlns:soap", "http://schemas.xmlsoap.org/wsdl/soap/",
		"xmlns:mime", "http://schemas.xmlsoap.org/wsdl/mime/", "xmlns:soap12", "http://schemas.xmlsoap.org/wsdl/soap12/")
	root.attrs = append(append(root.attrs, d.namespaces()...), "targetNamespace", s.Namespace)
	root.add(documentation("wsdl:documentation", s.Description), d.schemaNodes("wsdl:types"))
	root.add(d.messages()...)
	root.add(d.portType(), d.soapBinding(soap11), d.soapBinding(soap12), d.httpBinding(), d.ports(at))
	return root.document()
}

func documentation(name, text string) *node {
	n := el(name)
	n.text = text
	return n
}

// schemaNodes holds the schemas.
func (d *description) schemaNodes(name string) *node {
	n := el(name)
	for _, s := range d.schemas {
		n.add(s.node(d.types, nil))
	}
	return n
}

// local is a service's name as XML may have it: without its group.
func (d *description) local() string { return path.Base(d.service.Name) }

func (d *description) messages() []*node {
	message := func(name, element string) *node {
		return el("wsdl:message", "name", name).add(el("wsdl:part", "name", "parameters", "element", element))
	}
	var list []*node
	faults := false
	for _, o := range d.operations {
		list = append(list, message(o.name+"Request", d.qname(o.input)))
		if o.output.Local != "" {
			list = append(list, message(o.name+"Response", d.qname(o.output)))
			faults = true
		}
	}
	if faults {
		list = append(list, message(faultName.Local, d.qname(faultName)))
	}
	return list
}

func (d *description) portType() *node {
	n := el("wsdl:portType", "name", d.local()+"PortType")
	for _, o := range d.operations {
		one := el("wsdl:operation", "name", o.name).add(
			documentation("wsdl:documentation", o.doc),
			el("wsdl:input", "message", "ns0:"+o.name+"Request", "wsaw:Action", "urn:"+o.name))
		if o.output.Local != "" {
			one.add(el("wsdl:output", "message", "ns0:"+o.name+"Response", "wsaw:Action", "urn:"+o.name+"Response"),
				el("wsdl:fault", "message", "ns0:"+faultName.Local, "name", faultName.Local, "wsaw:Action", "urn:"+o.name+faultName.Local))
		}
		n.add(one)
	}
	return n
}

// binding begins a binding.
func (d *description) binding(b binding) *node {
	return el("wsdl:binding", "name", d.local()+b.name, "type", "ns0:"+d.local()+"PortType")
}

func (d *description) soapBinding(b binding) *node {
	n := d.binding(b).add(el(b.prefix+":binding", "transport", "http://schemas.xmlsoap.org/soap/http", "style", "document"))
	body := func(name string) *node { return el(name).add(el(b.prefix+":body", "use", "literal")) }
	for _, o := range d.operations {
		one := el("wsdl:operation", "name", o.name).add(
			el(b.prefix+":operation", "soapAction", "urn:"+o.name, "style", "document"), body("wsdl:input"))
		if o.output.Local != "" {
			one.add(body("wsdl:output"), el("wsdl:fault", "name", faultName.Local).add(el(b.prefix+":fault", "use", "literal", "name", faultName.Local)))
		}
		n.add(one)
	}
	return n
}

// httpBinding describes the plain HTTP of operations; resources have verbs of
// their own, for which WSDL 1.1 has no word.
func (d *description) httpBinding() *node {
	n := d.binding(overHTTP).add(el("http:binding", "verb", "POST"))
	content := func(name string) *node {
		return el(name).add(el("mime:content", "type", "text/xml", "part", "parameters"))
	}
	for _, o := range d.operations {
		one := el("wsdl:operation", "name", o.name).add(el("http:operation", "location", o.path), content("wsdl:input"))
		if o.output.Local != "" {
			one.add(content("wsdl:output"))
		}
		n.add(one)
	}
	return n
}

func (d *description) ports(at Address) *node {
	n := el("wsdl:service", "name", d.local())
	for _, b := range []binding{soap11, soap12, overHTTP} {
		for _, to := range at.ends(b) {
			n.add(el("wsdl:port", "name", to.name, "binding", "ns0:"+d.local()+b.name).add(el(b.prefix+":address", "location", to.address)))
		}
	}
	return n
}

// end is an endpoint.
type end struct{ name, address string }

// ends are the endpoints of a binding.
func (a Address) ends(b binding) []end {
	var list []end
	if a.HTTP != "" {
		list = append(list, end{b.endpoint, a.HTTP + "." + b.endpoint + "/"})
	}
	if a.HTTPS != "" {
		list = append(list, end{"Secure" + b.endpoint, a.HTTPS + ".Secure" + b.endpoint + "/"})
	}
	return list
}
