package toolrecipes

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// tool is the program, and how it is called.
type tool struct {
	binary string
	env    []string
}

// build builds the tool, whose commands find it as zookit, for the ensemble at servers.
func build(t *testing.T, servers string) tool {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "zookit")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/zookit/zookit/cmd/zookit").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return tool{binary, []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "ZOOKIT_SERVERS=" + servers}}
}

// command is a call that is killed with the test.
func (z tool) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, z.binary, args...)
	cmd.Env = z.env
	return cmd
}

// prints runs the tool to its end, and requires what it prints.
func (z tool) prints(t *testing.T, want string, args ...string) {
	t.Helper()
	cmd := z.command(t.Context(), args...)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	require.NoError(t, err, "zookit %s: %s", strings.Join(args, " "), &errors)
	require.Equal(t, want, string(out), "zookit %s", strings.Join(args, " "))
}

// running is a call that goes on.
type running struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

// start starts the tool; its commands read what tell writes.
func (z tool) start(t *testing.T, args ...string) *running {
	t.Helper()
	cmd := z.command(t.Context(), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { // that of a test that has failed
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGCONT)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return &running{t, cmd, in, bufio.NewScanner(out)}
}

// line is the next one that it prints.
func (r *running) line() string {
	r.t.Helper()
	require.True(r.t, r.lines.Scan(), "it has ended")
	return r.lines.Text()
}

// ends waits for its end, and returns the exit status.
func (r *running) ends() int {
	r.t.Helper()
	for r.lines.Scan() { // to the end, so that it can be waited for
	}
	_ = r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode()
}
