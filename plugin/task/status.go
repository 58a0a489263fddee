package task

import (
	"fmt"
	"strconv"
	"strings"
)

// Statuses reads an expectation of HTTP statuses: "204", "2xx" or "200-204",
// both ends included.
func Statuses(s string) (from, to int, err error) {
	low, high, ranged := strings.Cut(s, "-")
	if class, ok := strings.CutSuffix(strings.ToLower(s), "xx"); ok && len(class) == 1 {
		low, high, ranged = class+"00", class+"99", true
	}
	if !ranged {
		high = low
	}
	from, errLow := strconv.Atoi(low)
	to, errHigh := strconv.Atoi(high)
	if errLow != nil || errHigh != nil || from < 100 || to > 599 || from > to {
		return 0, 0, fmt.Errorf("status %q: write it like 204, 2xx or 200-204", s)
	}
	return from, to, nil
}

// Expected tells whether a status is one of those expected; by default any 2xx.
func (h *HTTPCall) Expected(status int) bool {
	if len(h.Expect) == 0 {
		return status >= 200 && status <= 299
	}
	for _, e := range h.Expect {
		if from, to, err := Statuses(e); err == nil && from <= status && status <= to {
			return true
		}
	}
	return false
}
