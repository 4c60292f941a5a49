package peertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/bench/work"
)

// Start makes the command of a worker.
type Start func(ctx context.Context, dir, servers string) (*exec.Cmd, error)

// Worker is a process under test. It is for one goroutine.
type Worker struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

// New starts a worker, which ends with the test.
func New(t *testing.T, start Start, dir, servers string) *Worker {
	t.Helper()
	// Not the context of the test, which ends before the cleanup has closed the input.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	t.Cleanup(cancel)
	cmd, err := start(ctx, dir, servers)
	require.NoError(t, err)
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	w := &Worker{t: t, cmd: cmd}
	w.in, err = cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	w.lines = bufio.NewReader(out)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = w.in.Close()
		rest, _ := io.ReadAll(w.lines)
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("the worker's standard error:\n%s", stderr.String())
		}
		require.NoError(t, err, "a worker ends by itself when its input does")
		require.Empty(t, string(rest), "said without being asked")
	})
	return w
}

// Measure has a spec measured. Each mark is answered; marks are those that came.
func (w *Worker) Measure(s work.Spec) (sample work.Sample, marks []string) {
	w.t.Helper()
	line, err := json.Marshal(s)
	require.NoError(w.t, err)
	for {
		_, err = w.in.Write(append(line, '\n'))
		require.NoError(w.t, err)
		answer, err := w.lines.ReadBytes('\n')
		require.NoError(w.t, err, "the worker ends instead of answering %s", line)
		var mark struct {
			Mark string `json:"mark"`
		}
		require.NoError(w.t, json.Unmarshal(answer, &mark), "%s", answer)
		if mark.Mark == "" {
			require.NoError(w.t, json.Unmarshal(answer, &sample), "%s", answer)
			return sample, marks
		}
		marks = append(marks, mark.Mark)
		line = []byte("go on")
	}
}
