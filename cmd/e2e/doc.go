// Package e2e runs the built programs as their users run them: real processes,
// real databases, a real mail server, kill -9. It holds tests alone, behind
// the build tag e2e; `make e2e` runs them.
package e2e
