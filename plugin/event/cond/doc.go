// Package cond compiles and evaluates the conditions of event triggers over an
// XML document: what a query was given, or what it returned. It is pure, and
// bounded in every direction: the length of expressions, the size and depth of
// documents, the steps of an evaluation. Everything is safe for concurrent use.
//
// # XPath
//
// XPath 1.0 (W3C Recommendation of 16 November 1999), complete but for what has
// no meaning here and is refused by name: variables, id(), the namespace axis,
// and prefixes other than xml. The result is taken as boolean() takes it, as in
// the original (XPathEventTrigger): a node-set that is not empty, a string that
// is not empty, a number that is neither zero nor NaN.
//
// The evaluator is the package's own. The libraries at hand compare only the
// first node of a node-set on the right of an operator, give wrong sums and
// counts, and can neither be interrupted nor bounded. A condition that silently
// fails to hold is an alarm that does not ring.
//
// One rule is wider than the Recommendation's: a name without a prefix also
// matches elements of a default namespace, so that //quantityInStock finds what
// <Products xmlns="…"> holds. The original needs local-name() for that, which
// works here too. It matches no element that is written with a prefix.
//
// Documents: those of input triggers are <queryId><param>value</param>…, without
// a namespace, an array repeating its element. Those of output triggers are the
// whole result, in the namespace of the service.
//
// # CEL
//
// The Common Expression Language, over two variables:
//
//   - doc: the content of the root element, as a map. An element that holds only
//     text is its value; one that holds elements is a map of them by local name;
//     a name that repeats is a list; attributes are "@name". doc.quantityInStock.
//   - rows: the list of those children of the root that hold elements, however
//     many there are: rows.exists(r, r.quantityInStock < 10).
//
// A text that is written as a JSON number without exponent is an int or a
// double ("007" is not, nor an integer beyond 64 bits), true and false are
// bools, an element with xsi:nil is null, all else is a string. Compare codes
// that may look like numbers by string(doc.code) == "123". A field that the
// document does not have makes the evaluation an error: ask has(doc.x) first.
// Numbers of different types compare by value.
package cond
