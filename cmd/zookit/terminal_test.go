package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/term"
)

// Keys of a terminal.
const (
	tab       = "\t"
	enter     = "\r"
	up        = "\x1b[A"
	interrupt = "\x03"
	endOfFile = "\x04"
)

// terminal is a person's terminal, at which the tool runs.
type terminal struct {
	t          *testing.T
	screen     *os.File // what the person sees and types
	tty        *os.File // what the tool has
	before     *term.State
	cmd        *exec.Cmd
	out        lockedBuffer
	seen       int
	ended, eof chan struct{}
}

// atTerminal starts the tool at a terminal.
func atTerminal(t *testing.T, env []string, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &terminal{t: t, ended: make(chan struct{}), eof: make(chan struct{})}
	p.screen, p.tty, err = pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(p.screen, &pty.Winsize{Rows: 24, Cols: 100}))
	p.before, err = term.GetState(int(p.tty.Fd()))
	require.NoError(t, err)
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), self, args...)
	p.cmd.Env = env
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = p.tty, p.tty, p.tty
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	go func() {
		defer close(p.eof)
		buf := make([]byte, 4096)
		for {
			n, err := p.screen.Read(buf)
			_, _ = p.out.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		_ = p.tty.Close() // of which the reader has an error
		<-p.eof
		_ = p.screen.Close()
	})
	return p
}

// types types.
func (p *terminal) types(keys ...string) {
	p.t.Helper()
	_, err := p.screen.WriteString(strings.Join(keys, ""))
	require.NoError(p.t, err)
}

// sees waits until texts have been printed, one after the other, after what was seen before.
func (p *terminal) sees(texts ...string) {
	p.t.Helper()
	limit := time.After(patience)
	for _, text := range texts {
		for {
			all, grown := p.out.next()
			if at := strings.Index(all[p.seen:], text); at >= 0 {
				p.seen += at + len(text)
				break
			}
			select {
			case <-grown:
			case <-limit:
				require.FailNow(p.t, "not seen", "%q in %q", text, all[p.seen:])
			}
		}
	}
}

// ends waits for the end of the tool, and requires that the terminal is as it was.
func (p *terminal) ends(code int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		require.FailNow(p.t, "it has not ended", p.out.String())
	}
	require.Equal(p.t, code, p.cmd.ProcessState.ExitCode(), p.out.String())
	now, err := term.GetState(int(p.tty.Fd()))
	require.NoError(p.t, err)
	require.Equal(p.t, p.before, now, "the terminal is as it was")
}
