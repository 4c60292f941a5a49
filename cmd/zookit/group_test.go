package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGroup(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	prints(t, env, "", "group", "ls", "/workers", "-o", "raw")
	watch := start(t, env, "", "group", "watch", "/workers", "--count", "4")
	lines := start(t, env, "", "group", "watch", "/workers", "-o", "json")
	stays := start(t, env, "", "group", "join", "/workers", "--id", "w1", "--data", "10.0.0.1:80")
	stays.says("/workers/w1\n")
	watch.says("joined w1 10.0.0.1:80\n")

	runs1 := start(t, env, "", "group", "join", "/workers", "--id", "w2", "--", "sh", "-c", `echo "$ZOOKIT_ID of $ZOOKIT_PATH"; read -r x; exit 3`)
	require.Equal(t, 3, runs1.code())
	require.Equal(t, "w2 of /workers\n", runs1.out.String())
	watch.says("joined w2\n")
	watch.says("left w2\n")

	prints(t, env, "w1\n", "group", "ls", "/workers", "-o", "raw")
	out, code := runs(t, env, "group", "ls", "/workers", "-o", "json")
	require.Zero(t, code)
	var members []struct{ ID, Text, Session string }
	require.NoError(t, json.Unmarshal([]byte(out), &members))
	require.Len(t, members, 1)
	require.Equal(t, "10.0.0.1:80", members[0].Text)
	require.Regexp(t, "^0x[0-9a-f]+$", members[0].Session)
	out, code = runs(t, env, "group", "ls", "/workers")
	require.Zero(t, code)
	require.Regexp(t, `^ID +DATA +SESSION +SINCE\nw1 +10.0.0.1:80 +0x`, out)

	exits(t, env, 75, "group", "join", "/workers", "--id", "w1", "--timeout", "50ms")
	require.NoError(t, stays.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, stays.code())
	require.Zero(t, watch.code())
	lines.says(`{"event":"left","id":"w1"`)
	require.NoError(t, lines.cmd.Process.Signal(syscall.SIGINT))
	require.Zero(t, lines.code())
	prints(t, env, "", "group", "ls", "/workers", "-o", "raw")
}

// A membership outlives the session, and the command does too; a command does not outlive the tool.
func TestGroupOutlivesSessions(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	watch := start(t, env, "", "group", "watch", "/workers")
	c := start(t, env, "", "group", "join", "/workers", "--id", "w", "--", "sh", "-c", obstinate)
	processes := pids(c)
	watch.says("joined w\n")
	for path, node := range s.Dump() {
		if strings.HasPrefix(path, "/workers/") {
			require.True(t, s.ExpireSession(node.Stat.EphemeralOwner))
		}
	}
	require.Eventually(t, func() bool { return strings.Count(watch.out.String(), "joined w\n") == 2 }, patience, 1e6)
	for _, pid := range processes {
		require.True(t, alive(pid))
	}
	require.NoError(t, c.cmd.Process.Kill())
	for _, pid := range processes {
		gone(t, pid)
	}
	require.Equal(t, -1, c.code())

	alone := start(t, env, "", "group", "join", "/workers", "--id", "alone")
	alone.says("/workers/alone\n")
	require.NoError(t, s.Delete("/workers/alone"))
	require.Eventually(t, func() bool { return strings.Contains(alone.err.String(), "a member again") }, patience, 1e6)
	require.Equal(t, "/workers/alone\n", alone.out.String())
}

func TestGroupLayoutsAndExitCodes(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	for name, flags := range map[string][]string{"curator": nil, "kazoo": {"--layout", "kazoo"}, "shallow": {"--shallow"}} {
		c := start(t, env, "", append([]string{"group", "join", "/" + name, "--id", "one"}, flags...)...)
		c.says("\n")
		node := map[string]string{"curator": "one", "kazoo": "[0-9a-f]{32}__party__", "shallow": "[0-9a-f]{32}-one"}[name]
		require.Regexp(t, "^/"+name+"/"+node+"\n$", c.out.String())
		prints(t, env, "one\n", append([]string{"group", "ls", "/" + name, "-o", "raw"}, flags...)...)
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
		require.Zero(t, c.code())
	}
	for name, test := range map[string]struct {
		args []string
		code int
	}{
		"no verb there is": {args: []string{"group", "list", "/g"}, code: 64},
		"no command":       {args: []string{"group", "join", "/g", "--"}, code: 64},
		"no dashes":        {args: []string{"group", "join", "/g", "true"}, code: 64},
		"bad id":           {args: []string{"group", "join", "/g", "--id", "a/b"}, code: 64},
		"bad path":         {args: []string{"group", "ls", "g"}, code: 64},
		"data twice":       {args: []string{"group", "join", "/g", "--data", "x", "-f", "-"}, code: 64},
		"no such layout":   {args: []string{"group", "ls", "/g", "--layout", "kazo"}, code: 64},
		"no such command":  {args: []string{"group", "join", "/g", "--", "no-such-command-anywhere"}, code: 127},
		"nobody there":     {args: []string{"group", "ls", "/g", "-s", "127.0.0.1:1", "--connect-timeout", "50ms"}, code: 69},
	} {
		t.Run(name, func(t *testing.T) { exits(t, env, test.code, test.args...) })
	}
}
