// Package check tells what is wrong with a definition as it is written, before
// anybody looks whether what it calls is there: policies, alerts, addresses and
// headers, calendars. Values in, a *failure.Error of CodeInvalid out; the bounds of
// definitions are its constants.
package check
