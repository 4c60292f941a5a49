package configs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long anybody may have to wait for anything.
const patience = 120 * time.Second

// process is a client of Kazoo's or Curator's.
type process struct {
	kind  string
	stdin io.WriteCloser
	done  chan string // what orders have come to: "", or why not
	read  chan struct{}

	mu    sync.Mutex
	shown map[string]string // the newest of what it has said it sees: by "KIND PATH" and "children PATH"
}

// launch starts a program; it ends with the test.
func launch(t *testing.T, kind string, command ...string) *process {
	t.Helper()
	p := &process{kind: kind, done: make(chan string, 16), read: make(chan struct{}), shown: map[string]string{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var err error
	p.stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	go p.listen(stdout)
	t.Cleanup(func() {
		defer cancel()
		_ = p.stdin.Close()
		select {
		case <-p.read:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-p.read
		}
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("standard error of %s:\n%s", kind, stderr.String())
		}
	})
	require.Empty(t, p.outcome(t, "to be opened"))
	return p
}

func (p *process) listen(stdout io.Reader) {
	defer close(p.read)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		w := strings.Fields(lines.Text())
		switch {
		case len(w) == 1 && (w[0] == "opened" || w[0] == "done"):
			p.done <- ""
		case len(w) > 1 && w[0] == "failed":
			p.done <- lines.Text()
		case len(w) == 4 && w[0] == "data":
			p.show(w[1]+" "+w[2], decode(w[3]))
		case len(w) == 3 && w[0] == "children":
			p.show("children "+w[1], strings.TrimPrefix(w[2], "-"))
		}
	}
}

func (p *process) show(what, now string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown[what] = now
}

// gone is what is shown of a node that is not there.
const gone = "(gone)"

func decode(word string) string {
	switch word {
	case "gone":
		return gone
	case "-":
		return ""
	}
	data, err := hex.DecodeString(word)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// encode writes data as an order.
func encode(data string) string {
	if data == "" {
		return "-"
	}
	return hex.EncodeToString([]byte(data))
}

func (p *process) outcome(t *testing.T, of string) string {
	t.Helper()
	select {
	case why := <-p.done:
		return why
	case <-p.read:
		require.FailNow(t, "it has ended", "%s: waited for %s", p.kind, of)
	case <-time.After(patience):
		require.FailNow(t, "nobody is to wait for ever", "%s: waited for %s", p.kind, of)
	}
	return ""
}

// begin gives an order whose outcome comes later, if it has one.
func (p *process) begin(t *testing.T, words ...string) {
	t.Helper()
	_, err := fmt.Fprintln(p.stdin, strings.Join(words, " "))
	require.NoError(t, err)
}

// do gives an order and waits until it is done.
func (p *process) do(t *testing.T, words ...string) {
	t.Helper()
	p.begin(t, words...)
	require.Empty(t, p.outcome(t, strings.Join(words, " ")), p.kind)
}

// sees waits until the newest of what the program has said is this.
func (p *process) sees(t *testing.T, what, want string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		p.mu.Lock()
		defer p.mu.Unlock()
		assert.Equal(c, want, p.shown[what], "%s sees %s", p.kind, what)
	}, patience, 5*time.Millisecond)
}
