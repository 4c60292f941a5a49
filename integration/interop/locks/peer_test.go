package locks

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// peer is a process of another library. Its contenders are called after it, with a
// number each.
type peer struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.Writer
	stderr bytes.Buffer // to be read when it has ended
	kept   chan string  // names of holdings
	took   chan string  // paths
	killed atomic.Bool
	done   chan struct{} // it has ended, and what it said is in the journal
}

// startPeer starts a program; sessions is the timeout of its sessions.
func startPeer(ctx context.Context, t *testing.T, j *journal, name string, command []string, addr string, sessions time.Duration, ledger string) *peer {
	t.Helper()
	args := append(command[1:len(command):len(command)], addr, strconv.FormatInt(sessions.Milliseconds(), 10), ledger)
	p := &peer{
		name: name, cmd: exec.CommandContext(ctx, command[0], args...),
		kept: make(chan string, 1), took: make(chan string, 1), done: make(chan struct{}),
	}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = 10 * time.Second
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		ended := false
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if lines.Text() == "end" {
				ended = true
			} else if err := p.heard(j, strings.Fields(lines.Text())); err != nil && !p.killed.Load() {
				j.fail(fmt.Errorf("%s: %w: %s", name, err, lines.Text()))
			}
		}
		if err := p.cmd.Wait(); !p.killed.Load() && (err != nil || !ended) {
			j.fail(fmt.Errorf("%s has ended unasked: %w\n%s", name, err, p.stderr.String()))
		}
	}()
	t.Cleanup(p.kill)
	return p
}

// heard puts a line of the process's output into the journal.
func (p *peer) heard(j *journal, words []string) error {
	var verb string
	if len(words) > 0 {
		verb = words[0]
	}
	version := 0
	if verb == "enter" || verb == "leave" {
		var err error
		if version, err = strconv.Atoi(words[len(words)-1]); err != nil {
			return err
		}
	}
	switch {
	case verb == "enter" && len(words) == 5:
		j.enter(p.name+" "+words[2], holding{who: p.contender(words[1]), mode: words[3], weight: 1, first: version})
	case verb == "leave" && len(words) == 3:
		j.leave(p.name+" "+words[1], version)
	case verb == "keeps" && len(words) == 2:
		p.kept <- p.name + " " + words[1]
	case verb == "took" && len(words) == 2:
		p.took <- words[1]
	case verb == "failed":
		return errors.New("a thread has failed")
	default:
		return errors.New("unknown line")
	}
	return nil
}

func (p *peer) contender(number string) string { return p.name + " #" + number }

// contend has n contenders begin, and returns their names.
func (p *peer) contend(t *testing.T, recipe, path string, n int) []string {
	t.Helper()
	p.tell(t, "contend", recipe, path, strconv.Itoa(n))
	var names []string
	for i := range n {
		names = append(names, p.contender(strconv.Itoa(i)))
	}
	return names
}

func (p *peer) tell(t *testing.T, words ...string) {
	t.Helper()
	_, err := fmt.Fprintln(p.stdin, strings.Join(words, " "))
	require.NoError(t, err)
}

// kill ends the process as nothing that it could notice, and waits for its end.
func (p *peer) kill() {
	p.killed.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop waits until the process has finished what it was about to do.
func (p *peer) stop(ctx context.Context, t *testing.T) {
	t.Helper()
	p.tell(t, "stop")
	await(ctx, t, p.name+" to end", p.done)
}

// await waits for something that comes from a channel.
func await[T any](ctx context.Context, t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-ctx.Done():
		t.Fatalf("waiting for %s: %v", what, ctx.Err())
		panic("unreachable")
	}
}
