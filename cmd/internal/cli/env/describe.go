package env

import (
	"errors"

	"github.com/seed42aab489/belfry/plugin/control"
)

// Description is an error as the companion tells it: the JSON contract of
// what it writes to stderr with -o json.
type Description struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
	ExitCode int    `json:"exit_code"`
}

// cancelled is the exit code of a no at a prompt.
const cancelled = 9

// Describe tells what went wrong, what to do next and how to exit. What is no
// *control.Error failed as a matter of business and exits with 1.
func Describe(err error) Description {
	if errors.Is(err, ErrCancelled) {
		return Description{Code: "cancelled", Message: err.Error(), ExitCode: cancelled}
	}
	e := control.AsError(err)
	return Description{Code: string(e.Code), Message: e.Message, Hint: e.Hint, ExitCode: e.Code.Exit()}
}
