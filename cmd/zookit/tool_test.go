package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/zktest"
)

// asTool makes the test's own program the tool.
const asTool = "ZOOKIT_AS_TOOL"

// patience is for what takes no time on a machine that is not busy.
const patience = time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// tool is one process of the tool.
type tool struct {
	t        testing.TB
	cmd      *exec.Cmd
	out, err lockedBuffer
	done     chan struct{}
}

// lockedBuffer can be read while the process writes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
	// grown is closed and made anew with each write.
	grown chan struct{}
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.grown != nil {
		close(b.grown)
		b.grown = nil
	}
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// next is closed with the next write, and what was written before.
func (b *lockedBuffer) next() (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.grown == nil {
		b.grown = make(chan struct{})
	}
	return b.buf.String(), b.grown
}

// environment is that of a tool: nothing of the machine's. With the race detector it would stay for a second when it has ended.
func environment(t testing.TB, servers string, more ...string) []string {
	t.Helper()
	home := t.TempDir()
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "ZOOKIT_SERVERS=" + servers, asTool + "=1", "GORACE=atexit_sleep_ms=0"}, more...)
}

// start starts the tool; it is killed with the test.
func start(t testing.TB, env []string, in string, args ...string) *tool {
	t.Helper()
	return starting(t, env, strings.NewReader(in), args...)
}

// starting is start with an input that may come later.
func starting(t testing.TB, env []string, in io.Reader, args ...string) *tool {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := &tool{t: t, done: make(chan struct{})}
	c.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), self, args...)
	c.cmd.Env = env
	c.cmd.Stdin = in
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.err
	require.NoError(t, c.cmd.Start())
	go func() {
		defer close(c.done)
		_ = c.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Signal(syscall.SIGCONT)
		_ = c.cmd.Process.Kill()
		<-c.done
	})
	return c
}

// code waits for the end of the tool.
func (c *tool) code() int {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		require.FailNow(c.t, "the tool has not ended", "out: %s\nerr: %s", c.out.String(), c.err.String())
	}
	return c.cmd.ProcessState.ExitCode()
}

// says waits until the tool has printed a text.
func (c *tool) says(text string) {
	c.t.Helper()
	c.prints(&c.out, text)
}

// tells waits until the tool has printed a text as a message.
func (c *tool) tells(text string) {
	c.t.Helper()
	c.prints(&c.err, text)
}

func (c *tool) prints(to *lockedBuffer, text string) {
	c.t.Helper()
	limit := time.After(patience)
	for {
		so, grown := to.next()
		if strings.Contains(so, text) {
			return
		}
		select {
		case <-grown:
		case <-c.done:
			require.Contains(c.t, to.String(), text, "stderr: %s", c.err.String())
			return
		case <-limit:
			require.FailNow(c.t, "not printed", "%q in %q; stderr: %s", text, to.String(), c.err.String())
		}
	}
}

// pattern is what a text has to match: one with * for anything.
func pattern(text string) string {
	return "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$"
}

// runs runs the tool to its end.
func runs(t testing.TB, env []string, args ...string) (out string, code int) {
	t.Helper()
	c := start(t, env, "", args...)
	code = c.code()
	if code != 0 {
		t.Logf("zookit %s: %d: %s", strings.Join(args, " "), code, c.err.String())
	}
	return c.out.String(), code
}

// server is one that sessions of a second can be had from.
func server(t testing.TB, opts ...zktest.Option) *zktest.Server {
	t.Helper()
	return zktest.Start(t, append([]zktest.Option{zktest.WithTick(100 * time.Millisecond)}, opts...)...)
}

// alive tells whether there is a process that can do anything: not one that only waits to be reaped.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) // where there is no /proc
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

// gone waits until there is no such process.
func gone(t testing.TB, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return !alive(pid) }, patience, 5*time.Millisecond, "process %d is there still", pid)
}

// ignoreDone leaves out that a process has ended.
func ignoreDone(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
