// Package result writes what a query returns, as XML or as JSON, while it is
// being read from the database.
//
// A producer calls a Sink in document order; NewXML and NewJSON give the two
// forms that are sent, and Recording one that is kept until it may be sent.
// Text turns a column's value into the lexical form of its type.
//
// # The JSON of an XML mapping
//
// An element with fields is an object, rows are an array even if there is one, and
// a namespace leaves no trace. Without rows there is no array, as in the original
// (its DS1194NestedQueryEmptyResultTest):
//
//	{"Products":{"Product":[{"productCode":"S10_1678","quantityInStock":7933}]}}
//	{"Products":{}}
//
// The declared xsdType decides between a number, true or false, and a string.
// What is not a JSON number although its type says so (INF, 007) is written as a
// string, so that nothing is lost or made up; integers keep all their digits. A
// null is null. An attribute is a member whose name begins with "@".
//
// # The XML
//
// A namespace is declared as the default one where it changes. A null is an
// empty element with xsi:nil="true"; an attribute that is null is left out.
// Characters that XML 1.0 cannot carry become U+FFFD.
//
// # Bounds
//
// Every Sink here takes the greatest number of bytes that it may write, and ends
// with a LimitError beyond it.
package result
