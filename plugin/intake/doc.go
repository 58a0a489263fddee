// Package intake takes task requests from a Kafka topic, a durable queue in
// front of the cluster: producers need no host to be up.
//
// # Records
//
// The value of a record is an order (control.Order) as JSON:
//
//	{"verb": "create", "task": {"name": "report", "service": "Stock", "operation": "getLowStock",
//	 "trigger": {"at": "2027-01-31T09:30:00Z"}}}
//
// Its idempotency key is the order's id; else the record's header
// "idempotency-key"; else its topic, partition and offset. Records of one
// partition are carried out in their order: give those about one task the same
// record key.
//
// # At least once, and once in effect
//
// Hosts share the partitions as one consumer group. A record's offset is
// committed only after the cluster has durably what it asked for, so none is
// lost. One that comes again, because a host died in between or partitions
// moved, carries the same idempotency key, and changes nothing.
//
//	carried out                          its offset may be committed
//	invalid, refused                     first to the dead-letter topic, then the same
//	unavailable, outcome unknown         tried again, with backoff, for as long as it takes;
//	                                     the partition waits
//
// A dead letter is the record as it was, with the headers "belfry-error-code",
// "belfry-error" and "belfry-source" (topic/partition/offset). Without a
// dead-letter topic a refused record is reported, and dropped.
package intake
