// Package trigger says when.
package trigger
