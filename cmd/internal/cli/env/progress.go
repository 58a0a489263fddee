package env

import (
	"fmt"
	"time"
)

// How often progress is told: a terminal's line is redrawn, elsewhere a line is
// added.
const (
	redrawPace = 100 * time.Millisecond
	linePace   = 5 * time.Second
)

// eraseLine takes away what the line of a terminal shows.
const eraseLine = "\r\x1b[K"

// Progress tells how far long work is, on Err. Work that is done at once is not
// told of. Make it with Env.Progress; it is not safe for concurrent use.
type Progress struct {
	e        *Env
	verb     string
	total    int
	began    time.Time
	last     time.Time
	terminal bool
}

// Progress begins work of a total of steps; 0: nobody knows how many. The verb
// goes before the number: "applied 3 of 10".
func (e *Env) Progress(verb string, total int) *Progress {
	return &Progress{e: e, verb: verb, total: total, began: e.Now(), last: e.Now(), terminal: IsTerminal(e.Err)}
}

// At tells that so many steps are done.
func (p *Progress) At(done int) {
	now := p.e.Now()
	if p.e.Quiet {
		return
	}
	pace := linePace
	if p.terminal {
		pace = redrawPace
	}
	if now.Sub(p.last) < pace {
		return
	}
	p.last = now
	text := fmt.Sprintf("%s %d", p.verb, done)
	if p.total > 0 {
		text += fmt.Sprintf(" of %d", p.total)
		if passed := now.Sub(p.began); done > 0 && done < p.total {
			left := time.Duration(float64(passed) / float64(done) * float64(p.total-done))
			text += fmt.Sprintf(", %s left", left.Round(time.Second))
		}
	}
	if p.terminal {
		p.e.drawn = true
		fmt.Fprint(p.e.Err, eraseLine+text)
		return
	}
	p.e.Say("%s", text)
}

// End takes the line away again.
func (p *Progress) End() {
	if p.e.drawn {
		p.e.drawn = false
		fmt.Fprint(p.e.Err, eraseLine)
	}
}
