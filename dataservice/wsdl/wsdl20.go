package wsdl

import "github.com/seed42aab489/belfry/dataservice"

// The message exchange patterns of WSDL 2.0.
const (
	inOut        = "http://www.w3.org/ns/wsdl/in-out"
	robustInOnly = "http://www.w3.org/ns/wsdl/robust-in-only"
)

// WSDL20 describes a service by WSDL 2.0, whose HTTP binding has the verbs of the
// resources.
func WSDL20(s *dataservice.Service, at Address) []byte {
	d := describe(s)
	root := el("wsdl2:description", "xmlns:wsdl2", "http://www.w3.org/ns/wsdl", "xmlns:wsoap", "http://www.w3.org/ns/wsdl/soap",
		"xmlns:whttp", "http://www.w3.org/ns/wsdl/http", "xmlns:wsdlx", "http://www.w3.org/ns/wsdl-extensions", "xmlns:xs", xsdSpace)
	root.attrs = append(append(root.attrs, d.namespaces()...), "xmlns:tns", s.Namespace, "targetNamespace", s.Namespace)
	root.add(documentation("wsdl2:documentation", s.Description), d.schemaNodes("wsdl2:types"), d.interface20(),
		d.soap20(soap11, "1.1"), d.soap20(soap12, "1.2"), d.http20(), d.service20(at))
	return root.document()
}

func (d *description) interface20() *node {
	n := el("wsdl2:interface", "name", "ServiceInterface").add(
		el("wsdl2:fault", "name", faultName.Local, "element", d.qname(faultName)))
	for _, o := range d.operations {
		pattern := robustInOnly
		if o.output.Local != "" {
			pattern = inOut
		}
		one := el("wsdl2:operation", "name", o.name, "pattern", pattern)
		if o.verb == "GET" {
			one.with("wsdlx:safe", "true")
		}
		one.add(documentation("wsdl2:documentation", o.doc), el("wsdl2:input", "element", d.qname(o.input)))
		if o.output.Local != "" {
			one.add(el("wsdl2:output", "element", d.qname(o.output)))
		}
		n.add(one.add(el("wsdl2:outfault", "ref", "tns:"+faultName.Local)))
	}
	return n
}

func (d *description) soap20(b binding, version string) *node {
	n := el("wsdl2:binding", "name", d.local()+b.name, "interface", "tns:ServiceInterface", "type", "http://www.w3.org/ns/wsdl/soap",
		"wsoap:version", version, "wsoap:protocol", "http://www.w3.org/2003/05/soap/bindings/HTTP/")
	n.add(el("wsdl2:fault", "ref", "tns:"+faultName.Local))
	for _, o := range d.operations {
		n.add(el("wsdl2:operation", "ref", "tns:"+o.name, "wsoap:action", "urn:"+o.name))
	}
	return n
}

func (d *description) http20() *node {
	n := el("wsdl2:binding", "name", d.local()+overHTTP.name, "interface", "tns:ServiceInterface", "type", "http://www.w3.org/ns/wsdl/http",
		"whttp:methodDefault", "POST")
	n.add(el("wsdl2:fault", "ref", "tns:"+faultName.Local))
	for _, o := range d.operations {
		n.add(el("wsdl2:operation", "ref", "tns:"+o.name, "whttp:location", o.path, "whttp:method", o.verb))
	}
	return n
}

func (d *description) service20(at Address) *node {
	n := el("wsdl2:service", "name", d.local(), "interface", "tns:ServiceInterface")
	for _, b := range []binding{soap11, soap12, overHTTP} {
		for _, to := range at.ends(b) {
			n.add(el("wsdl2:endpoint", "name", to.name, "binding", "tns:"+d.local()+b.name, "address", to.address))
		}
	}
	return n
}
