package host

import (
	"testing"

	"go.uber.org/goleak"
)

// No goroutine may outlive its host.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
