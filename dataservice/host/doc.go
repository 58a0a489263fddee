// Package host deploys the descriptors of a folder as data services, serves
// them over HTTP and invokes them in process.
//
// # The services folder
//
// Every regular file, or symbolic link to one, whose name ends in ".dbs" and
// begins with neither "." nor "#" is a descriptor. A subfolder is a service
// group, as in the original: samples/Stock.dbs that names itself "Stock" is
// deployed as "samples/Stock"; a name that begins with its group keeps it.
// Subfolders count to a depth of MaxDepth; links to folders are not followed,
// which with the rule on "." makes a mounted Kubernetes ConfigMap work.
//
// # Hot deployment
//
// The folder is watched, and looked at every Options.Poll besides, because
// watches get lost and some file systems have none. A file counts as changed
// when its identity, size or time differ and so does the SHA-256 of its bytes,
// and only when two looks, Options.Settle apart, agree on it, so that a
// half-written file is not read.
//
//	file is new or changed                         file is gone
//	        │                                            │
//	 read, parse ──────── refused ──▶ the running version, if any, stays;
//	        │                         Services() and one log line say why
//	 name free? ───────── refused ──▶ both files are named
//	        │
//	 open its sources ─── refused ──▶ and tried again, with backoff
//	        │
//	 Hook.Deploy ──────── refused ──▶                    │
//	        │                                            │
//	 new requests meet the new version        new requests meet 404
//	        └──────── the old version's running requests end ──────┘
//	                  then its sources are closed
//
// No request fails because of a deployment: one that finds its version retired
// between look-up and entry looks again.
//
// # An emptied folder
//
// When every descriptor vanishes in one pass and there were at least two, or the
// folder itself is gone or cannot be read, nothing is undeployed: a lost mount
// looks just like that. The host goes on serving what it has, logs an error and
// says so in Services(), until there is a descriptor again. To undeploy
// everything, remove the descriptors and create the empty file ".undeploy-all"
// in the folder, or stop the host. A folder that can be read in part keeps what
// the rest of it held.
package host
