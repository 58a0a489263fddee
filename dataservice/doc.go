// Package dataservice is the vocabulary of data services: what a descriptor
// (.dbs) says, without the XML it was said in and without a database. It is
// pure, holds no I/O, and its values are not changed once a descriptor has been
// read, so they are safe for concurrent use.
//
// Source: WSO2 data services, DataServiceFactory and the classes around it.
package dataservice
