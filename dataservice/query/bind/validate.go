package bind

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
)

// validator checks a value; its error says what is wanted, in the original's words,
// without the value.
type validator func(s string) error

// compileValidator gives the check, or why there can be none.
//
// Source: WSO2 LengthValidator, LongRangeValidator, DoubleRangeValidator,
// PatternValidator.
func compileValidator(v dataservice.Validator) (validator, error) {
	within := func(n float64) bool {
		return (v.Minimum == nil || n >= *v.Minimum) && (v.Maximum == nil || n <= *v.Maximum)
	}
	asked := func(ok func(s string) bool, format string, args ...any) (validator, error) {
		wanted := fmt.Errorf(format, args...)
		return func(s string) error {
			if !ok(s) {
				return wanted
			}
			return nil
		}, nil
	}
	switch v.Kind {
	case dataservice.ValidateLength:
		ok := func(s string) bool { return within(float64(utf8.RuneCountInString(s))) }
		return asked(ok, "The value length must be %s", bounds(v.Minimum, v.Maximum))
	case dataservice.ValidateLong:
		return asked(func(s string) bool {
			n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			return err == nil && within(float64(n))
		}, "The long value range expected is [%s,%s]", short(v.Minimum), short(v.Maximum))
	case dataservice.ValidateDouble:
		return asked(func(s string) bool {
			s = strings.TrimSpace(s)
			f, err := strconv.ParseFloat(s, 64)
			return err == nil && decimalText(s, true) && within(f)
		}, "The double value range expected is [%s,%s]", short(v.Minimum), short(v.Maximum))
	case dataservice.ValidatePattern:
		re, err := compilePattern(v.Pattern)
		if err != nil {
			return nil, err
		}
		return asked(re.MatchString, "Pattern {%s} is expected", v.Pattern)
	}
	return nil, fmt.Errorf("validators of one's own Java class (%s) are not supported", v.Class)
}

// bounds says between what a length has to be.
func bounds(least, most *float64) string {
	switch {
	case most == nil:
		return "at least " + short(least)
	case least == nil:
		return "at most " + short(most)
	}
	return "between " + short(least) + " and " + short(most)
}

// short writes a bound without a needless fraction; nil: there is none.
func short(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}
