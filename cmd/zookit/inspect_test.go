package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// report is what inspect prints as JSON, as it is documented.
type report struct {
	Path, Kind, Layout, Summary string
	Holders, Waiting, Members   []struct {
		Path, Role, Item, Identifier, Session, Host string
		Token                                       int64
		Since                                       time.Time
		Permits                                     int
	}
	Limit int
}

// inspected runs the tool and reads its JSON.
func inspected(t *testing.T, env []string, into any, args ...string) {
	t.Helper()
	out, code := runs(t, env, append(args, "-o", "json")...)
	require.Zero(t, code)
	require.NoError(t, json.Unmarshal([]byte(out), into), out)
}

// connected is a client in this process.
func connected(t *testing.T, s *zktest.Server) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), s.ConnectString(), client.WithSessionTimeout(10*time.Second))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func TestInspect(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	holder := start(t, env, "", "lock", "/stacks/42", "--id", "first", "--", "sh", "-c", "echo $ZOOKIT_TOKEN $ZOOKIT_SESSION; sleep 1000")
	holder.says("\n")
	held := strings.Fields(holder.out.String())
	start(t, env, "", "lock", "/stacks/42", "--id", "second", "--", "true")
	require.Eventually(t, func() bool { n, _ := s.Node("/stacks/42"); return len(n.Children) == 2 }, patience, time.Millisecond)

	var r report
	inspected(t, env, &r, "inspect", "/stacks/42")
	require.Equal(t, "/stacks/42", r.Path)
	require.Equal(t, "mutex", r.Kind)
	require.Equal(t, "curator", r.Layout)
	require.Len(t, r.Holders, 1)
	require.Len(t, r.Waiting, 1)
	require.NotNil(t, r.Members, "a list without members is a list")
	h := r.Holders[0]
	require.Equal(t, "first", h.Identifier)
	require.Equal(t, held[1], h.Session)
	var token int64
	require.NoError(t, json.Unmarshal([]byte(held[0]), &token))
	require.Equal(t, token, h.Token, "what the command under the lock was given")
	require.Regexp(t, `^127\.0\.0\.1:\d+$`, h.Host)
	require.WithinDuration(t, time.Now(), h.Since, patience)
	require.Equal(t, "second", r.Waiting[0].Identifier)

	out, code := runs(t, env, "inspect", "/stacks/42")
	require.Zero(t, code)
	require.Regexp(t, `(?s)^/stacks/42: a lock \(curator\), held by first since .* with token `+held[0]+`, 1 waits; it may also be: election
STATE     WHAT  IDENTIFIER  SESSION .*
holds     -     first       0x.*
waits, 1  -     second      0x.*$`, out)
	prints(t, env, fmt.Sprintf("holder\t%s\t%s\t%s\nwaiting\t%s\t%s\t%d\n", h.Path, h.Session, held[0], r.Waiting[0].Path, r.Waiting[0].Session, r.Waiting[0].Token),
		"inspect", "/stacks/42", "-o", "raw")
	out, code = runs(t, env, "inspect", h.Path, "-o", "yaml", "--no-hosts")
	require.Zero(t, code)
	require.Contains(t, out, "kind: mutex\n", "the holder's node stands for the lock")
	require.NotContains(t, out, "host:")

	exits(t, env, 1, "inspect", "/nowhere")
	exits(t, env, 64, "inspect", "nowhere")
	exits(t, env, 64, "inspect", "/stacks/42", "--as", "thing")
	exits(t, env, 64, "inspect", "/stacks/42", "--layout", "kazo")
	out, code = runs(t, env, "inspect", "/stacks", "--as", "barrier")
	require.Zero(t, code)
	require.Contains(t, out, "/stacks: a barrier, closed since ")
	require.NoError(t, s.Create("/free", nil))
	prints(t, env, "/free: a lock (kazoo), free\n", "inspect", "/free", "--as", "mutex", "--layout", "kazoo")
	exits(t, environment(t, "127.0.0.1:1"), 69, "inspect", "/stacks/42", "--connect-timeout", "50ms")
}

// Where the servers do not tell from where sessions are, it says so once and goes on.
func TestInspectWithoutHosts(t *testing.T) {
	s := server(t)
	h, err := lock.NewMutex(connected(t, s), "/l", lock.WithIdentifier("10.0.0.7")).Lock(t.Context())
	require.NoError(t, err)
	silent := shy(t, s.ConnectString())
	c := start(t, environment(t, silent), "", "inspect", "/l", "-o", "raw")
	require.Zero(t, c.code())
	require.Contains(t, c.out.String(), h.Path())
	require.Empty(t, c.err.String(), "its data is an address")
	h, err = lock.NewMutex(connected(t, s), "/m", lock.WithIdentifier("me")).Lock(t.Context())
	require.NoError(t, err)
	c = start(t, environment(t, silent), "", "inspect", "/m", "-o", "raw")
	require.Zero(t, c.code())
	require.Contains(t, c.out.String(), h.Path())
	require.Equal(t, 1, strings.Count(c.err.String(), "4lw.commands.whitelist"), c.err.String())
}

// One document is printed a line, and one for each change.
func TestInspectWatch(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	watch := start(t, env, "", "inspect", "/l", "--watch", "--as", "mutex", "-o", "json")
	watch.says(`"kind":"nothing"`)
	require.NoError(t, s.Create("/l", nil))
	watch.says(", free")
	h, err := lock.NewMutex(connected(t, s), "/l", lock.WithIdentifier("me")).Lock(t.Context())
	require.NoError(t, err)
	watch.says(`"identifier":"me"`)
	lists := zktest.On("/l", zktest.OpGetChildren2)
	looked := len(s.Requests(lists))
	require.NoError(t, s.Create("/l/note", nil)) // which is nothing to the lock
	require.Eventually(t, func() bool { return len(s.Requests(lists)) > looked }, patience, time.Millisecond)
	require.NoError(t, h.Unlock(t.Context()))
	require.Eventually(t, func() bool { return strings.Count(watch.out.String(), ", free") == 2 }, patience, time.Millisecond)
	require.NoError(t, watch.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, watch.code())
	last := ""
	for line := range strings.Lines(watch.out.String()) {
		var r report
		require.NoError(t, json.Unmarshal([]byte(line), &r), line)
		require.NotEqual(t, last, line, "only what has changed is printed")
		last = line
	}
}

// The permits of a semaphore in Kazoo's layout are counted though its line stands beside it.
func TestInspectWatchOnTerminal(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	p := atTerminal(t, env, "inspect", "/sem", "--watch")
	p.sees("\x1b[H\x1b[2J", "nobody holds")
	holder := start(t, env, "", "lock", "/sem", "--layout", "kazoo", "--limit", "3", "--permits", "2", "--id", "me", "--", "sleep", "1000")
	p.sees("\x1b[H\x1b[2J", "a semaphore (kazoo), 2 of 3 permits taken", "2 permits")
	require.NoError(t, holder.cmd.Process.Signal(syscall.SIGTERM))
	p.sees("\x1b[H\x1b[2J", "0 of 3 permits taken")
	p.types("\x03")
	p.ends(0)
}
