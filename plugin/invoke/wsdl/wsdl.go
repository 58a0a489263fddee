// Package wsdl reads from the WSDL 1.1 of another system what it takes to
// schedule its operations, with the types of gowsdl.
//
// Only who reads WSDL should import it: importing gowsdl makes a folder in the
// system's folder of temporary files, and ends the process if it cannot. So the
// companion reads, and hosts fetch.
package wsdl

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/hooklift/gowsdl"

	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of what is read.
const (
	MaxDocuments  = 16 // with all that is imported
	MaxOperations = 1000
)

// Fetch reads the document at an address.
type Fetch func(ctx context.Context, address string) ([]byte, error)

// Read reads a service: its first port of SOAP 1.1, else of SOAP 1.2. Imports
// and includes are followed where they are of the same origin (scheme, host and
// port) as the document that names them.
func Read(ctx context.Context, address string, fetch Fetch) (task.RemoteService, error) {
	r := reader{fetch: fetch, seen: map[string]bool{}}
	if err := r.read(ctx, address); err != nil {
		return task.RemoteService{}, err
	}
	s, err := r.service()
	if err != nil {
		return task.RemoteService{}, fmt.Errorf("%s: %w", task.Shown(address), err)
	}
	s.WSDL = address
	return s, nil
}

// reader gathers the definitions of all documents.
type reader struct {
	fetch   Fetch
	seen    map[string]bool
	all     []*gowsdl.WSDL
	soap12  []extra
	schemas []*gowsdl.XSDSchema
}

// extra is what gowsdl does not read: the parts of SOAP 1.2.
type extra struct {
	Bindings []struct {
		Name    string `xml:"name,attr"`
		Binding *struct {
			Style string `xml:"style,attr"`
		} `xml:"http://schemas.xmlsoap.org/wsdl/soap12/ binding"`
		Operations []struct {
			Name      string `xml:"name,attr"`
			Operation struct {
				Action string `xml:"soapAction,attr"`
				Style  string `xml:"style,attr"`
			} `xml:"http://schemas.xmlsoap.org/wsdl/soap12/ operation"`
		} `xml:"http://schemas.xmlsoap.org/wsdl/ operation"`
	} `xml:"http://schemas.xmlsoap.org/wsdl/ binding"`
	Services []struct {
		Ports []struct {
			Binding string `xml:"binding,attr"`
			Address struct {
				Location string `xml:"location,attr"`
			} `xml:"http://schemas.xmlsoap.org/wsdl/soap12/ address"`
		} `xml:"http://schemas.xmlsoap.org/wsdl/ port"`
	} `xml:"http://schemas.xmlsoap.org/wsdl/ service"`
}

func (r *reader) read(ctx context.Context, address string) error {
	if r.seen[address] {
		return nil
	}
	if r.seen[address] = true; len(r.seen) > MaxDocuments {
		return fmt.Errorf("more than %d documents import each other", MaxDocuments)
	}
	text, err := r.fetch(ctx, address)
	if err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("%s: %w", task.Shown(address), err) }
	if err := web.WellFormed(text); err != nil {
		return fail(err)
	}
	var root struct{ XMLName xml.Name }
	if err := xml.Unmarshal(text, &root); err != nil {
		return fail(err)
	}
	if root.XMLName.Local == "schema" {
		s := &gowsdl.XSDSchema{}
		if err := xml.Unmarshal(text, s); err != nil {
			return fail(err)
		}
		return r.schema(ctx, address, s)
	}
	w := &gowsdl.WSDL{}
	var e extra
	if err := errors.Join(xml.Unmarshal(text, w), xml.Unmarshal(text, &e)); err != nil {
		return fail(err)
	}
	r.all, r.soap12 = append(r.all, w), append(r.soap12, e)
	for _, s := range w.Types.Schemas {
		if err := r.schema(ctx, address, s); err != nil {
			return err
		}
	}
	for _, i := range w.Imports {
		if err := r.follow(ctx, address, i.Location); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) schema(ctx context.Context, address string, s *gowsdl.XSDSchema) error {
	r.schemas = append(r.schemas, s)
	for _, i := range s.Imports {
		if err := r.follow(ctx, address, i.SchemaLocation); err != nil {
			return err
		}
	}
	for _, i := range s.Includes {
		if err := r.follow(ctx, address, i.SchemaLocation); err != nil {
			return err
		}
	}
	return nil
}

// follow reads what a document imports, if it is of the same origin.
func (r *reader) follow(ctx context.Context, from, location string) error {
	if location == "" {
		return nil
	}
	base, err := url.Parse(from)
	if err != nil {
		return err
	}
	to, err := base.Parse(location)
	if err != nil {
		return fmt.Errorf("%s: import of %q: it is no address", task.Shown(from), location)
	}
	if to.Scheme != base.Scheme || !strings.EqualFold(to.Host, base.Host) || to.User != nil {
		return fmt.Errorf("%s: import of %s: only documents of %s are followed", task.Shown(from), task.Shown(to.String()), base.Host)
	}
	to.Fragment = ""
	return r.read(ctx, to.String())
}

// local is a qualified name without its prefix.
func local(name string) string {
	_, after, ok := strings.Cut(name, ":")
	if ok {
		return after
	}
	return name
}
