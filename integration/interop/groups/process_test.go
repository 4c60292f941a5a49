package groups

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a program with members that are Kazoo's or Curator's.
type process struct {
	kind  string
	cmd   *exec.Cmd
	read  chan struct{} // closed when its standard output has ended
	mu    sync.Mutex    // guards the rest
	stdin io.WriteCloser
	dying bool // it is meant to end
	heard map[string]*member
}

// launch starts a program; it ends with the test.
func launch(t *testing.T, kind string, command []string) *process {
	t.Helper()
	p := &process{kind: kind, read: make(chan struct{}), heard: map[string]*member{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	p.cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	stdin, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go p.listen(stdout)
	t.Cleanup(func() {
		defer cancel()
		p.end(func() { _ = stdin.Close() })
		select {
		case <-p.read:
		case <-time.After(20 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.read
		}
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("standard error of %s:\n%s", kind, stderr.String())
		}
	})
	return p
}

// listen passes on what the members say.
func (p *process) listen(stdout io.Reader) {
	defer close(p.read)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		name, said, _ := strings.Cut(lines.Text(), " ")
		p.mu.Lock()
		m := p.heard[name]
		p.mu.Unlock()
		if m == nil {
			continue // no line of a member
		}
		what, rest, _ := strings.Cut(said, " ")
		m.say(what, rest)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dying {
		for _, m := range p.heard {
			m.say("failed", "its process has ended")
		}
	}
}

// end ends the process in some way.
func (p *process) end(how func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dying = true
	how()
}

// kill is SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.end(func() { require.NoError(t, p.cmd.Process.Kill()) })
	<-p.read
}

// open makes a member with a session of its own.
func (p *process) open(ctx context.Context, t *testing.T, name string, timeout time.Duration) *member {
	t.Helper()
	m := &member{name: name, kind: p.kind, out: make(chan event, backlog)}
	m.tell = func(words ...string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_, err := fmt.Fprintln(p.stdin, name, strings.Join(words, " "))
		if err != nil && !p.dying {
			m.say("failed", "to be told: "+err.Error())
		}
	}
	p.mu.Lock()
	p.heard[name] = m
	p.mu.Unlock()
	m.tell("open", fmt.Sprint(timeout.Milliseconds()))
	m.expect(ctx, t, "opened")
	return m
}
