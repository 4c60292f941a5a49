package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// holds takes the next item of /jobs, to be held for a time, and returns its data and its lease.
func holds(t *testing.T, env []string, hold string, args ...string) (text, lease string) {
	t.Helper()
	out, code := runs(t, env, append([]string{"queue", "take", "/jobs", "--hold", hold, "--try", "-o", "json"}, args...)...)
	require.Zero(t, code)
	var item struct {
		Text, Lease, Path string
		Token             int64
	}
	require.NoError(t, json.Unmarshal([]byte(out), &item))
	require.Positive(t, item.Token)
	require.True(t, strings.HasPrefix(item.Path, "/jobs/"), item.Path)
	return item.Text, item.Lease
}

// vanished waits until the holder of a lease has ended.
func vanished(t *testing.T, lease string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := os.Stat(lease)
		return os.IsNotExist(err)
	}, patience, 1e6)
}

// A lease that outlives the call that has taken the item is settled by another call, once.
func TestQueueHold(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	exits(t, env, 75, "queue", "take", "/jobs", "--hold", "1h", "--try")
	exits(t, env, 75, "queue", "take", "/jobs", "--hold", "1h", "--timeout", "50ms")
	c := start(t, env, "one\ntwo\nthree\n", "queue", "put", "/jobs", "--lines", "-f", "-")
	require.Zero(t, c.code())

	text, lease := holds(t, env, "1h")
	require.Equal(t, "one", text)
	info, err := os.Stat(lease)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	other, otherLease := holds(t, env, "1h")
	require.Equal(t, "two", other)
	prints(t, env, "3\n", "queue", "len", "/jobs")
	prints(t, env, "", "queue", "ack", lease)
	exits(t, env, 76, "queue", "ack", lease)
	exits(t, env, 76, "queue", "nack", lease)
	prints(t, env, "2\n", "queue", "len", "/jobs")
	prints(t, env, "", "queue", "nack", otherLease)
	vanished(t, otherLease)
	text, lease = holds(t, env, "1h")
	require.Equal(t, "two", text)
	prints(t, env, "", "queue", "nack", lease, "--bury", "no good")
	out, code := runs(t, env, "queue", "peek", "/jobs", "--dead", "-o", "json")
	require.Zero(t, code)
	require.Contains(t, out, `"reason": "no good"`)

	raw, code := runs(t, env, "queue", "take", "/jobs", "--hold", "1h", "-o", "raw")
	require.Zero(t, code)
	lease, text, _ = strings.Cut(raw, "\n")
	require.Equal(t, "three", text)
	prints(t, env, "", "queue", "nack", lease, "--after", "1h")
	exits(t, env, 75, "queue", "take", "/jobs", "--pop", "--try")
	require.Eventually(t, func() bool { return len(s.Sessions()) == 0 }, patience, 1e6)

	for name, args := range map[string][]string{
		"no time":      {"queue", "take", "/jobs", "--hold", "0s"},
		"with a pop":   {"queue", "take", "/jobs", "--hold", "1s", "--pop"},
		"repeated":     {"queue", "take", "/jobs", "--hold", "1s", "--repeat"},
		"bad path":     {"queue", "take", "jobs", "--hold", "1s"},
		"a command":    {"queue", "take", "/jobs", "--hold", "1s", "--", "true"},
		"no lease":     {"queue", "ack"},
		"no name of a": {"queue", "ack", "/lease"},
	} {
		t.Run(name, func(t *testing.T) { exits(t, env, 64, args...) })
	}
	exits(t, env, 69, "queue", "take", "/jobs", "--hold", "1s", "-s", "127.0.0.1:1", "--connect-timeout", "50ms")
}

// However a held lease ends, the item is handed out again, and who would acknowledge it is told.
func TestQueueHoldEnds(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	prints(t, env, "a\n", "queue", "put", "/jobs", "one", "--id", "a")

	_, lease := holds(t, env, "20ms")
	vanished(t, lease) // the time is over
	exits(t, env, 76, "queue", "ack", lease)

	_, lease = holds(t, env, "1h")
	for _, one := range s.Sessions() {
		require.True(t, s.ExpireSession(one.ID))
	}
	vanished(t, lease)
	exits(t, env, 76, "queue", "ack", lease)

	_, lease = holds(t, env, "1h")
	holder := holderOf(t, lease)
	require.NoError(t, syscall.Kill(holder, syscall.SIGTERM))
	vanished(t, lease)
	gone(t, holder)

	_, lease = holds(t, env, "1h", "--session-timeout", "1s")
	holder = holderOf(t, lease)
	require.NoError(t, syscall.Kill(holder, syscall.SIGKILL))
	require.Eventually(t, func() bool { // all its threads have gone
		conn, err := net.Dial("unix", filepath.Join(lease, "lease"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, 1e6)
	exits(t, env, 76, "queue", "ack", lease)
	require.NoDirExists(t, lease)

	out, code := runs(t, env, "queue", "take", "/jobs", "--", "sh", "-c", "cat; echo \" $ZOOKIT_ATTEMPT\"")
	require.Zero(t, code)
	require.Equal(t, "one 5\n", out)
}

// A call that is interrupted while it waits leaves no holder behind.
func TestQueueHoldInterrupted(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	c := start(t, env, "", "queue", "take", "/jobs", "--hold", "1h")
	require.Eventually(t, func() bool { return s.Watches() > 0 }, patience, 1e6)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 130, c.code())
	require.Empty(t, s.Sessions())

	c = start(t, env, "", "queue", "take", "/jobs", "--hold", "1h")
	require.Eventually(t, func() bool { return s.Watches() > 0 }, patience, 1e6)
	require.NoError(t, c.cmd.Process.Kill())
	require.Equal(t, -1, c.code())
	require.Eventually(t, func() bool { return len(s.Sessions()) == 0 }, patience, 1e6)
}

// holderOf is the process that listens for a lease.
func holderOf(t *testing.T, lease string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(lease, "pid"))
	require.NoError(t, err)
	var pid int
	require.NoError(t, json.Unmarshal(text, &pid))
	return pid
}
