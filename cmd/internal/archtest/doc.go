// Package archtest holds the import table of the module, as a test: who may
// import whom. A package without a row fails it.
package archtest
