package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/term"

	"github.com/zookit/zookit/client"
)

// errInterrupted is returned for a line that a person has given up.
var errInterrupted = errors.New("interrupted")

// screen is a terminal at which lines are edited while messages come in.
type screen struct {
	in     *input
	out    io.Writer
	t      *term.Terminal
	pastes bool // it says what is pasted, so that no tab in it is taken for a key

	mu      sync.Mutex // before the terminal's own
	editing bool       // a line, in raw mode
	here    string
	state   client.State
}

func newScreen(in *input, out *os.File, kind string, past *history, complete func(line string, pos int) (string, int, []string)) *screen {
	s := &screen{in: in, out: out, here: "/", state: client.Connected, pastes: kind != "" && kind != "dumb"}
	s.t = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, "")
	s.t.History = past
	s.t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		line, pos, choices := complete(line, pos)
		if len(choices) > 0 {
			columns, _, err := term.GetSize(int(out.Fd()))
			if err != nil {
				columns = 80
			}
			fmt.Fprint(s.t, inColumns(choices, columns))
		}
		return line, pos, true
	}
	return s
}

// readLine has a person edit a line. The terminal is in raw mode meanwhile, and before and after as it was, so that programs
// can be run, and interrupted. Errors: [errInterrupted], [io.EOF], and that the input was stopped.
func (s *screen) readLine() (string, error) {
	s.edits(true)
	defer s.edits(false)
	fd := int(s.in.f.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, before) }()
	s.fit()
	s.prompt()
	if s.pastes {
		s.t.SetBracketedPasteMode(true)
		defer s.t.SetBracketedPasteMode(false)
	}
	line, err := s.t.ReadLine()
	switch {
	case errors.Is(err, term.ErrPasteIndicator):
		err = nil
	case errors.Is(err, io.EOF), err == nil && s.in.interrupted:
		fmt.Fprint(s.out, map[bool]string{true: "^C\r\n", false: "\r\n"}[err == nil])
		if err == nil {
			err = errInterrupted
		}
	}
	return line, err
}

// fit has lines broken where the terminal ends.
func (s *screen) fit() {
	if columns, rows, err := term.GetSize(int(s.in.f.Fd())); err == nil && columns > 0 {
		_ = s.t.SetSize(columns, rows)
	}
}

// fitAlways does that whenever the terminal has changed its size, until ctx ends.
func (s *screen) fitAlways(ctx context.Context) {
	sizes := make(chan os.Signal, 1)
	signal.Notify(sizes, syscall.SIGWINCH)
	defer signal.Stop(sizes)
	for {
		select {
		case <-sizes:
			s.fit()
		case <-ctx.Done():
			return
		}
	}
}

// prompt sets the prompt, which says where the shell is, and whether a server serves it.
func (s *screen) prompt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := ""
	if s.state != client.Connected {
		state = " (" + s.state.String() + ")"
	}
	s.t.SetPrompt("zookit:" + s.here + state + "> ")
}

// show sets what the prompt says of the connection; it is seen with the next message.
func (s *screen) show(state client.State) {
	s.mu.Lock()
	s.state = state
	s.mu.Unlock()
	s.prompt()
}

// stand sets what the prompt says of the place.
func (s *screen) stand(here string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.here = here
}

func (s *screen) edits(now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.editing = now
}

// Write prints above the line that is being edited. While a command runs it does so in one piece, since the command prints as well.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.editing {
		return s.t.Write(p)
	}
	return s.out.Write(p)
}
