package app

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Progress tells a person at a terminal how far long work is; elsewhere it is silent.
type Progress struct {
	w           io.Writer // nil: nobody is there
	what        string
	done, total int
	shown       time.Time
}

// Progress begins to tell of work on total things, if that is known, on standard error.
func (e *Env) Progress(what string, total int) *Progress {
	p := &Progress{what: what, total: total}
	if f, ok := e.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w = f
	}
	return p
}

// Add tells that n more are done.
func (p *Progress) Add(n int) {
	p.done += n
	if p.w == nil || time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = time.Now()
	if p.total > 0 {
		fmt.Fprintf(p.w, "\r%s %d of %d", p.what, p.done, p.total)
		return
	}
	fmt.Fprintf(p.w, "\r%s %d", p.what, p.done)
}

// Done ends the line.
func (p *Progress) Done() {
	if p.w != nil && !p.shown.IsZero() {
		fmt.Fprintf(p.w, "\r%s %d%s\n", p.what, p.done, "            ")
	}
}
