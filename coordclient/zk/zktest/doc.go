// Package zktest starts real ZooKeeper servers for tests, one or an ensemble,
// on free ports of the loopback interface, and breaks them: kill -9, freeze,
// restart, and a Proxy that cuts, holds and delays what passes. All end with
// the test, and their logs are shown if it failed.
//
// They come from Debian's package zookeeper (3.8): Java and the jars in
// /usr/share/java. Where these are not installed the test is skipped loudly;
// where nothing may be missing (CI=true, or BELFRY_REQUIRE_SERVERS set) it fails
// instead.
//
// Do not run such tests with -race: the ZooKeeper library has a race of its own
// when it reconnects with watches set.
package zktest
