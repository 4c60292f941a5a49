package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// binary is the tool, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "zookit-tool-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "zookit")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".")
	build.Dir = "../../cmd/zookit"
	if out, err := build.CombinedOutput(); err != nil {
		panic("the tool is not built: " + err.Error() + ": " + string(out))
	}
	return m.Run()
}

// zookit runs the tool on an ensemble to its end.
func zookit(t *testing.T, servers string, args ...string) (out string, code int) {
	t.Helper()
	home := t.TempDir()
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "ZOOKIT_SERVERS=" + servers}
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Logf("zookit %v: %d: %s", args, exit.ExitCode(), stderr.String())
		return stdout.String(), exit.ExitCode()
	}
	require.NoError(t, err)
	return stdout.String(), 0
}

// document runs the tool and reads the JSON that it prints.
func document(t *testing.T, servers string, into any, args ...string) (code int) {
	t.Helper()
	out, code := zookit(t, servers, append(args, "-o", "json")...)
	require.NoError(t, json.Unmarshal([]byte(out), into), out)
	return code
}
