package query

import (
	"fmt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/bind"
)

// given finds what was given for a parameter: nil and true is a null.
type given func(p *bind.Param) (values []string, ok bool)

// bound are the values of one execution.
type bound struct {
	texts  [][]string // by parameter, after defaults; empty: null
	args   []any      // for the driver
	counts []int      // placeholders of each placeholder of the statement; nil: one each
}

// text gives the parameter's single value; false: null.
func (b *bound) text(i int) (string, bool) {
	if len(b.texts[i]) == 0 {
		return "", false
	}
	return b.texts[i][0], true
}

// bind reads the values, or says which does not fit.
func (to *compiled) bind(find given, limit int) (*bound, error) {
	b := &bound{}
	if len(to.params) == 0 {
		return b, nil
	}
	b.texts = make([][]string, len(to.params))
	for i, p := range to.params {
		values, ok := find(p)
		values, err := p.Resolve(values, ok)
		if err != nil {
			return nil, err
		}
		if len(values) > limit {
			return nil, &dataservice.Fault{
				Code: dataservice.IncompatibleParameters, Kind: dataservice.FaultInput,
				Message: fmt.Sprintf("parameter %s: more than %d values (limits.array_values)", p.Name, limit),
			}
		}
		b.texts[i] = values
	}
	if to.text == "" {
		b.counts = make([]int, len(to.slots))
	}
	b.args = make([]any, 0, len(to.slots))
	for i, k := range to.slots {
		if err := to.bindSlot(b, i, to.params[k], b.texts[k]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bindSlot appends what one placeholder stands for.
func (to *compiled) bindSlot(b *bound, slot int, p *bind.Param, values []string) error {
	if b.counts != nil {
		b.counts[slot] = 1
	}
	if len(values) == 0 {
		if p.Array {
			b.counts[slot] = 0
			return nil
		}
		b.args = append(b.args, nil)
		return nil
	}
	if b.counts != nil {
		b.counts[slot] = len(values)
	}
	for _, v := range values {
		arg, err := p.Arg(v, to.db.Dialect())
		if err != nil {
			return err
		}
		b.args = append(b.args, arg)
	}
	return nil
}
