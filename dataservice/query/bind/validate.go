package bind

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
)

// validator checks a value; its error says what is wrong, without the value.
type validator func(s string) error

// compileValidator gives the check, or why there can be none.
func compileValidator(v dataservice.Validator) (validator, error) {
	bounds := func(n float64) error {
		if v.Minimum != nil && n < *v.Minimum {
			return fmt.Errorf("is below %s", short(*v.Minimum))
		}
		if v.Maximum != nil && n > *v.Maximum {
			return fmt.Errorf("is above %s", short(*v.Maximum))
		}
		return nil
	}
	switch v.Kind {
	case dataservice.ValidateLength:
		return func(s string) error {
			if err := bounds(float64(utf8.RuneCountInString(s))); err != nil {
				return fmt.Errorf("its length %w", err)
			}
			return nil
		}, nil
	case dataservice.ValidateLong:
		return func(s string) error {
			n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			if err != nil {
				return fmt.Errorf("is not a whole number")
			}
			return bounds(float64(n))
		}, nil
	case dataservice.ValidateDouble:
		return func(s string) error {
			f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil || !decimalText(strings.TrimSpace(s), true) {
				return fmt.Errorf("is not a number")
			}
			return bounds(f)
		}, nil
	case dataservice.ValidatePattern:
		re, err := compilePattern(v.Pattern)
		if err != nil {
			return nil, err
		}
		return func(s string) error {
			if !re.MatchString(s) {
				return fmt.Errorf("does not match the pattern")
			}
			return nil
		}, nil
	}
	return nil, fmt.Errorf("validators of one's own Java class (%s) are not supported", v.Class)
}

// short writes a bound without a needless fraction.
func short(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
