package query

import (
	"fmt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/bind"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// given finds what was given for a parameter: nil and true is a null.
type given func(p *bind.Param) (values []string, ok bool)

// bound are the values of one execution.
type bound struct {
	texts  [][]string // by parameter, after defaults; empty: null
	args   []any      // for the driver
	counts []int      // placeholders of each placeholder of the statement; nil: one each
	sql    string     // for the driver
}

// text gives the parameter's single value; false: null.
func (b *bound) text(i int) (string, bool) {
	if len(b.texts[i]) == 0 {
		return "", false
	}
	return b.texts[i][0], true
}

// bind reads the values, or says which does not fit.
func (to *compiled) bind(find given, caller *dataservice.Principal, limit int) (*bound, error) {
	b := &bound{sql: to.text}
	if len(to.params) == 0 {
		return b, nil
	}
	b.texts = make([][]string, len(to.params))
	var absent []bool // what is optional and not there; nil: nothing
	for i, p := range to.params {
		if p.Mode == bind.Out {
			continue
		}
		values, ok := find(p)
		if !ok && to.partial && p.MayLack() {
			if absent == nil {
				absent = make([]bool, len(to.params))
			}
			absent[i] = true
		}
		values, err := p.Resolve(values, ok, caller)
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
	f, err := to.form(b, absent)
	if err != nil {
		return nil, err
	}
	if b.sql == "" {
		b.counts = make([]int, len(f.slots))
	}
	b.args = make([]any, 0, len(f.slots))
	for i, k := range f.slots {
		if err := to.bindSlot(b, i, to.params[k], b.texts[k]); err != nil {
			return nil, err
		}
	}
	if b.sql == "" {
		b.sql = f.stmt.SQL(b.counts, f.casts)
	}
	return b, nil
}

// form gives the statement that these values want.
func (to *compiled) form(b *bound, absent []bool) (form, error) {
	f := form{to.stmt, to.slots, to.casts}
	if absent != nil {
		var err error
		if f, err = f.without(absent); err != nil {
			return f, err
		}
		b.sql = ""
	}
	if to.pastes {
		return f.paste(to.params, b.texts)
	}
	return f, nil
}

// without leaves out the assignments of parameters that are optional and not
// there: their columns keep what they have.
func (f form) without(absent []bool) (form, error) {
	st, kept, ok := f.stmt.WithoutAssignments(func(i int) bool { return absent[f.slots[i]] })
	if !ok {
		return f, &dataservice.Fault{
			Code: dataservice.IncompatibleParameters, Kind: dataservice.FaultInput, Message: "no parameter is there that says what to change",
		}
	}
	to := form{stmt: st}
	for _, i := range kept {
		to.slots, to.casts = append(to.slots, f.slots[i]), append(to.casts, f.casts[i])
	}
	return to, nil
}

// form is a statement with what its placeholders stand for.
type form struct {
	stmt  *source.Statement
	slots []int    // placeholder -> index into params
	casts []string // by placeholder
}

// paste puts the texts of QUERY_STRING parameters into the statement, each of
// which its pattern has let through, and reads it anew: it has to stay one
// statement of the same kind.
func (f form) paste(params []*bind.Param, texts [][]string) (form, error) {
	st, err := f.stmt.Paste(func(i int) (string, bool) {
		k := f.slots[i]
		if !params[k].Pasted || len(texts[k]) == 0 {
			return "", params[k].Pasted
		}
		return texts[k][0], true
	})
	if err != nil {
		return form{}, &dataservice.Fault{
			Code: dataservice.IncompatibleParameters, Kind: dataservice.FaultInput,
			Message: "a QUERY_STRING parameter makes another statement of the query",
		}
	}
	to := form{stmt: st}
	for i, k := range f.slots {
		if !params[k].Pasted {
			to.slots, to.casts = append(to.slots, k), append(to.casts, f.casts[i])
		}
	}
	return to, nil
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
		b.args = append(b.args, p.Null(to.db.Dialect()))
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
