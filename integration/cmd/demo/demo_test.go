package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bare runs scripts/demo as on a machine with Go and neither Docker nor Java, and
// without a network. extra are programs that are there beside the most common ones.
func bare(t *testing.T, extra map[string]string, env []string, args ...string) (string, error) {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"sh", "env", "dirname", "basename", "mkdir", "mktemp", "rm", "cat", "id", "uname", "go", "gcc"} {
		path, err := exec.LookPath(name)
		if err != nil && name == "gcc" {
			continue // only there so that the packages in Go's cache fit
		}
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(bin, name)))
	}
	for name, script := range extra {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755)) //nolint:gosec // a program
	}
	home := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join("..", "..", "..", "scripts", "demo"), args...)
	// What the script has started goes with it.
	cmd.WaitDelay = time.Minute
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append([]string{
		"PATH=" + bin,
		"HOME=" + home,
		// An engine whose socket is in its usual place is not reached either: there are no
		// certificates in that folder.
		"DOCKER_CERT_PATH=" + home,
		"GOPROXY=off",
	}, env...)
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOTOOLCHAIN", "CGO_ENABLED"} {
		value, err := exec.CommandContext(ctx, "go", "env", name).Output()
		require.NoError(t, err)
		cmd.Env = append(cmd.Env, name+"="+strings.TrimSpace(string(value)))
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Where there is neither Docker nor Java the demo does the same on the embedded server
// and says so, and nothing is installed although it could be.
func TestNeitherDockerNorJava(t *testing.T) {
	installed := filepath.Join(t.TempDir(), "installed")
	installer := "#!/bin/sh\necho \"$0 $*\" >>" + installed + "\n"
	out, err := bare(t, map[string]string{"apt-get": installer, "sudo": installer}, nil, "-workers", "3", "-updates", "2")
	require.NoError(t, err, "%s", out)
	require.Equal(t, 1, strings.Count(out, fallback+"\n"), "%s", out)
	require.Contains(t, out, "\nembedded server (zktest) at 127.0.0.1:", "%s", out)
	require.Contains(t, out, "KILLED while it holds the lock", "%s", out)
	require.Contains(t, out, "FROZEN while it holds the lock", "%s", out)
	require.Contains(t, out, "\nstack consistent: ", "%s", out)
	require.NoFileExists(t, installed)
}

// Who insists on a real ZooKeeper, or names one, does not get the embedded server.
func TestRealOrNothing(t *testing.T) {
	for name, test := range map[string]struct {
		env  []string
		args []string
		says string
	}{
		"REAL=1 sets up": {
			env:  []string{"REAL=1"},
			says: "default-jre-headless",
		},
		"-real":              {args: []string{"-real"}, says: "no way to run ZooKeeper here"},
		"a provider is set":  {env: []string{"ZOOKIT_TEST_PROVIDER=jvm"}, says: "ZOOKIT_TEST_PROVIDER is set"},
		"ZooKeeper is named": {env: []string{"ZOOKEEPER_HOME=/nowhere"}, says: "ZOOKEEPER_HOME is set"},
		"no number":          {env: []string{"REAL=yes"}, says: "REAL is yes"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := bare(t, nil, test.env, test.args...)
			require.Error(t, err, "%s", out)
			require.Contains(t, out, test.says)
			require.NotContains(t, out, "embedded server (zktest) at")
			require.NotContains(t, out, "stack consistent")
		})
	}
}
