package result

import "github.com/seed42aab489/belfry/dataservice"

// Name is an element's name with its namespace.
type Name struct{ Space, Local string }

// Sink takes a result as it is produced, in document order, and writes it in
// its own form. An error of a Sink ends the query. Not safe for concurrent use.
type Sink interface {
	// Open begins an element. Repeated tells that siblings of the same name may
	// follow, so that JSON writes an array even for one.
	Open(name Name, repeated bool) error
	// Attribute adds one to the element just opened.
	Attribute(name Name, v Value) error
	// Leaf writes an element that holds a value.
	Leaf(name Name, v Value) error
	// Close ends the innermost open element.
	Close() error
}

// Value is a column's value. Its zero value is null.
type Value struct {
	Valid bool
	Text  string // lexical form of the XSD type, UTF-8; base64 for binaries
	Type  string // xsdType without prefix: "string", "integer", "double", "boolean", …
}

// Shape is the part of a descriptor that tells a Sink what to expect.
type Shape struct {
	Service *dataservice.Service
	Result  *dataservice.Result
}

// Lister is a Sink that wants to know of a list before its first element, so
// that it can write an array even for one. Elements of this name may follow, or
// not; an element of another name ends the list.
type Lister interface {
	List(name Name) error
}

// List tells the sink, if it cares, that elements of this name may follow.
func List(s Sink, name Name) error {
	if l, ok := s.(Lister); ok {
		return l.List(name)
	}
	return nil
}
