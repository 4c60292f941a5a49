package main

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

func TestLockPassesOn(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())

	out, code := runs(t, env, "lock", "/stacks/42", "--", "sh", "-c", "echo $ZOOKIT_PATH $ZOOKIT_TOKEN $ZOOKIT_SESSION; exit 7")
	require.Equal(t, 7, code)
	words := strings.Fields(out)
	require.Len(t, words, 3)
	require.Equal(t, "/stacks/42", words[0])
	token, err := strconv.ParseInt(words[1], 10, 64)
	require.NoError(t, err)
	require.Positive(t, token)
	require.Regexp(t, "^0x[0-9a-f]+$", words[2])
	require.Empty(t, s.Sessions(), "the session has ended with the tool")

	_, code = runs(t, env, "lock", "/stacks/42", "--", "sh", "-c", "kill -TERM $$")
	require.Equal(t, 128+15, code)

	c := start(t, env, "to the command", "lock", "/stacks/42", "--", "cat")
	require.Zero(t, c.code())
	require.Equal(t, "to the command", c.out.String())
}

func TestLockExitCodes(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	holder := start(t, env, "", "lock", "/l", "--", "sh", "-c", "echo holds; sleep 1000")
	holder.says("holds")
	for name, test := range map[string]struct {
		env  []string
		args []string
		code int
	}{
		"busy":               {args: []string{"lock", "/l", "--try", "--", "true"}, code: 75},
		"not in time":        {args: []string{"lock", "/l", "--timeout", "50ms", "--", "true"}, code: 75},
		"another layout":     {args: []string{"lock", "/l", "--layout", "kazoo", "--try", "--", "true"}, code: 1},
		"no such layout":     {args: []string{"lock", "/l", "--layout", "kazo", "--", "true"}, code: 64},
		"no such command":    {args: []string{"lock", "/m", "--", "no-such-command-anywhere"}, code: 127},
		"no command":         {args: []string{"lock", "/m", "--"}, code: 64},
		"no dashes":          {args: []string{"lock", "/m", "true"}, code: 64},
		"no path":            {args: []string{"lock", "--", "true"}, code: 64},
		"bad path":           {args: []string{"lock", "m", "--", "true"}, code: 64},
		"unknown flag":       {args: []string{"lock", "/m", "--trie", "--", "true"}, code: 64},
		"permits, no limit":  {args: []string{"lock", "/m", "--permits", "2", "--", "true"}, code: 64},
		"too much grace":     {args: []string{"lock", "/m", "--grace", "9s", "--", "true"}, code: 64},
		"semaphore":          {args: []string{"lock", "/sem", "--limit", "2", "--permits", "2", "--", "true"}, code: 0},
		"reader":             {args: []string{"lock", "/rw", "--shared", "--", "true"}, code: 0},
		"writer":             {args: []string{"lock", "/rw2", "--write", "--", "true"}, code: 0},
		"nobody there":       {env: environment(t, "127.0.0.1:1"), args: []string{"lock", "/l", "--connect-timeout", "50ms", "--", "true"}, code: 69},
		"malformed servers":  {env: environment(t, "a:b:c"), args: []string{"lock", "/l", "--", "true"}, code: 64},
		"malformed auth":     {args: []string{"lock", "/l", "--auth", "secret", "--", "true"}, code: 64},
		"no such command of": {args: []string{"lok"}, code: 64},
	} {
		t.Run(name, func(t *testing.T) {
			if test.env == nil {
				test.env = env
			}
			_, code := runs(t, test.env, test.args...)
			require.Equal(t, test.code, code)
		})
	}
	require.Len(t, s.Sessions(), 1)
	require.NoError(t, holder.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 128+15, holder.code())
}

// A signal is the command's, and all of its group's.
func TestLockForwardsSignals(t *testing.T) {
	s := server(t)
	c := start(t, environment(t, s.ConnectString()), "", "lock", "/l", "--", "sh", "-c", "trap 'echo got it; exit 3' USR1; echo ready; while :; do sleep 0.01; done")
	c.says("ready")
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGUSR1))
	require.Equal(t, 3, c.code())
	c.says("got it")
}

// obstinate is a command that ignores SIGTERM, and has a child that does.
const obstinate = `trap 'echo asked' TERM; sh -c 'trap "" TERM; echo child $$; while :; do sleep 0.01; done' & echo parent $$; while :; do sleep 0.01; done`

// pids of an obstinate command and its child.
func pids(c *tool) (out []int) {
	c.t.Helper()
	c.says("child ")
	c.says("parent ")
	for line := range strings.Lines(c.out.String()) {
		if _, pid, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			n, err := strconv.Atoi(pid)
			require.NoError(c.t, err)
			out = append(out, n)
		}
	}
	require.Len(c.t, out, 2)
	return out
}

// What ends a grant ends the command, all of its group, before the next one can hold: whatever becomes of
// the tool.
func TestLockIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(t *testing.T, s *zktest.Server, c *tool)
		code  int // of the tool; -1: killed
		// late tells that the fault gives the lock to the next at once, as no client can know before.
		late bool
	}{
		"session expired": {code: 76, late: true, fault: func(t *testing.T, s *zktest.Server, _ *tool) {
			for _, one := range s.Sessions() {
				require.True(t, s.ExpireSession(one.ID))
			}
		}},
		"node deleted": {code: 76, late: true, fault: func(t *testing.T, s *zktest.Server, _ *tool) {
			for path, node := range s.Dump() {
				if node.Stat.EphemeralOwner != 0 {
					require.NoError(t, s.Delete(path))
				}
			}
		}},
		"network cut": {code: 76, fault: func(_ *testing.T, s *zktest.Server, _ *tool) {
			s.Refuse()
			s.DropConnections()
		}},
		"tool stopped": {code: 76, fault: func(t *testing.T, _ *zktest.Server, c *tool) {
			require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
		}},
		"tool killed": {code: -1, fault: func(t *testing.T, _ *zktest.Server, c *tool) {
			require.NoError(t, c.cmd.Process.Kill())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			c := start(t, environment(t, s.ConnectString()), "", "lock", "/l", "--session-timeout", "3s", "--grace", "300ms", "--", "sh", "-c", obstinate)
			processes := pids(c)

			// The next in line is in this process, past all faults of the network.
			cl, err := client.Connect(t.Context(), s.ConnectString(), client.WithSessionTimeout(time.Minute))
			require.NoError(t, err)
			t.Cleanup(func() { _ = cl.Close() })
			next := make(chan string, 1)
			go func() {
				h, err := lock.NewMutex(cl, "/l").Lock(t.Context())
				left := ""
				for _, pid := range processes {
					if alive(pid) {
						left = fmt.Sprint(left, " ", pid)
					}
				}
				if err != nil {
					left = err.Error()
				} else {
					_ = h.Unlock(t.Context())
				}
				next <- left
			}()
			require.Eventually(t, func() bool { return len(s.Sessions()) == 2 }, patience, time.Millisecond)
			if name == "network cut" { // for the tool alone
				_ = cl
			}
			test.fault(t, s, c)
			for _, pid := range processes {
				gone(t, pid)
			}
			require.Contains(t, c.out.String(), "asked", "SIGTERM comes first")
			s.Accept()
			require.NoError(t, ignoreDone(c.cmd.Process.Signal(syscall.SIGCONT)))
			require.Equal(t, test.code, c.code())
			left := <-next
			if !test.late {
				require.Empty(t, left, "who was there still when the next one held")
			}
		})
	}
}
