package wsdl

import (
	"encoding/xml"

	"github.com/seed42aab489/belfry/dataservice"
)

// The elements that every service has.
var (
	faultName    = xml.Name{Space: dataservice.DefaultNamespace, Local: "DataServiceFault"}
	statusName   = xml.Name{Space: dataservice.DefaultNamespace, Local: "REQUEST_STATUS"}
	responseName = xml.Name{Space: dataservice.DefaultNamespace, Local: "DATA_SERVICE_RESPONSE"}
	boxName      = xml.Name{Space: dataservice.DefaultNamespace, Local: "DATA_SERVICE_REQUEST_BOX_RESPONSE"}
)

// operation is one of the interface.
type operation struct {
	name, doc    string
	verb, path   string   // over plain HTTP
	input        xml.Name // its element
	output       xml.Name // Local is empty: it is one-way
	call         *dataservice.CallQuery
	returnStatus bool
}

// description is what a service looks like to a SOAP client.
type description struct {
	*types
	operations []*operation
}

// describe lays out a service. Results come before inputs, whose names can give
// way.
func describe(s *dataservice.Service) *description {
	d := &description{types: newTypes(s)}
	for _, r := range s.Resources {
		d.operation(&operation{name: r.RequestName(), doc: r.Description, verb: r.Method, path: r.Path, call: &r.Call, returnStatus: r.ReturnStatus})
	}
	for _, o := range s.Operations {
		d.operation(&operation{name: o.Name, doc: o.Description, verb: "POST", path: o.Name, call: &o.Call, returnStatus: o.ReturnStatus})
	}
	d.outputs()
	for _, o := range d.operations {
		o.input = d.input(o.name, false, d.params(o.call)...)
	}
	d.batches()
	d.boxes()
	d.own()
	return d
}

// operation adds one, unless there is one of its name.
func (d *description) operation(o *operation) bool {
	for _, other := range d.operations {
		if other.name == o.name {
			return false
		}
	}
	d.operations = append(d.operations, o)
	return true
}

// outputs finds what each operation answers.
func (d *description) outputs() {
	for _, o := range d.operations {
		switch q := d.service.Query(o.call.Query); {
		case q != nil && q.Result != nil:
			name, known := d.result(q.Result)
			if !known {
				name = responseName
			}
			o.output = name
		case o.returnStatus:
			o.output = statusName
		}
	}
}

// batches adds the operations that take many calls of one.
func (d *description) batches() {
	for _, o := range d.operations {
		if !d.service.Batches(o.call) {
			continue
		}
		many := &operation{
			name: o.name + dataservice.BatchSuffix, doc: "batch operation for '" + o.name + "'", verb: o.verb, path: o.path + dataservice.BatchSuffix,
			output: o.output, call: o.call, returnStatus: o.returnStatus,
		}
		if d.operation(many) {
			many.input = d.input(many.name, false, &part{ref: o.input, many: true})
		}
	}
}

// boxDocs are what the original says of the operations of boxcarring.
var boxDocs = map[string]string{
	dataservice.BeginBoxcar: "Control operation for beginning a boxcarring session",
	dataservice.EndBoxcar:   "Control operation for ending a boxcarring session",
	dataservice.AbortBoxcar: "Control operation for aborting a boxcarring session",
	dataservice.RequestBox:  "Control operation for sending multiple requests at once",
}

// boxes adds the operations of boxcarring. That of the end of a session is
// described as in the original, by an element around any: the answer's own is
// that of a request_box.
func (d *description) boxes() {
	var all []*part
	for _, o := range d.operations {
		all = append(all, &part{ref: o.input})
	}
	for _, name := range d.service.BoxOperations() {
		o := &operation{name: name, doc: boxDocs[name], verb: "POST", path: name}
		if !d.operation(o) {
			continue
		}
		switch name {
		case dataservice.RequestBox:
			o.input, o.output = d.input(name, true, all...), boxName
			continue
		case dataservice.EndBoxcar:
			o.output = responseName
		}
		o.input = d.input(name, false)
	}
}

// own adds the elements that every service has.
func (d *description) own() {
	text := func(names ...string) (list []*part) {
		for _, n := range names {
			list = append(list, &part{name: n, xsd: "string"})
		}
		return list
	}
	source := &part{name: "source_data_service", typ: &complexType{parts: text("location", "default_namespace", "description", "data_service_name")}}
	fault := append(text("current_params", "current_request_name", "nested_exception"), source)
	d.ensure(faultName).typ = &complexType{parts: append(fault, text("ds_code")...)}
	d.ensure(statusName).xsd = "string"
	d.ensure(responseName).typ = &complexType{any: true}
	if d.service.Boxcarring {
		d.ensure(boxName).typ = &complexType{any: true}
	}
}

// ensure gives a global, whose description it drops.
func (d *description) ensure(name xml.Name) *global {
	g := d.globals[name]
	if g == nil {
		return d.global(name)
	}
	g.xsd, g.typ = "", nil
	return g
}
