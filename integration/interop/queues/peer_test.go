package queues

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// peer is a program with queues that are Kazoo's or Curator's. It is for one goroutine.
type peer struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers chan string // closed when its standard output has ended
	killed  bool
}

func formatSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

func formatMillis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// launch starts a program; it ends with the test.
func launch(t *testing.T, command ...string) *peer {
	t.Helper()
	p := &peer{answers: make(chan string, 16)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	p.cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.answers)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			p.answers <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = p.stdin.Close()
		timer := time.AfterFunc(20*time.Second, cancel)
		for range p.answers { // until it has ended
		}
		timer.Stop()
		_ = p.cmd.Wait()
		cancel()
		if t.Failed() {
			t.Logf("standard error of %s:\n%s", command[len(command)-3], stderr.String())
		}
	})
	return p
}

// ask has something done, and returns what there is to say about it.
func (p *peer) ask(t *testing.T, words ...any) string {
	t.Helper()
	p.begin(t, words...)
	return p.end(t)
}

// begin has something done whose end has to be waited for.
func (p *peer) begin(t *testing.T, words ...any) {
	t.Helper()
	_, err := p.stdin.Write([]byte(strings.TrimSuffix(fmt.Sprintln(words...), "\n") + "\n"))
	require.NoError(t, err)
}

func (p *peer) end(t *testing.T) string {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case answer, ok := <-p.answers:
		require.True(t, ok, "the program has ended")
		said, fine := strings.CutPrefix(answer, "ok")
		require.True(t, fine, answer)
		return strings.TrimSpace(said)
	case <-timer.C:
		require.FailNow(t, "the program does not answer")
		panic("unreachable")
	}
}

// kill is SIGKILL.
func (p *peer) kill(t *testing.T) {
	t.Helper()
	p.killed = true
	require.NoError(t, p.cmd.Process.Kill())
}
