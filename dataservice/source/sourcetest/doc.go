// Package sourcetest starts real database servers for tests, each in a temporary
// folder and on a unix socket or a free port, and stops them with the test.
//
// A server whose programs are not installed skips the test loudly. Where nothing
// may be missing (CI=true, or BELFRY_REQUIRE_SERVERS set) it fails instead.
package sourcetest
