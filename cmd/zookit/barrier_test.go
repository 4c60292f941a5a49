package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

func TestBarrier(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	prints(t, env, "", "barrier", "wait", "/gate")
	prints(t, env, "", "barrier", "set", "/gate")
	again := start(t, env, "", "barrier", "set", "/gate")
	require.Zero(t, again.code())
	require.Equal(t, "zookit: /gate was set already\n", again.err.String())
	exits(t, env, 75, "barrier", "wait", "/gate", "--timeout", "50ms")
	interrupted := start(t, env, "", "barrier", "wait", "/gate")
	waits := start(t, env, "", "barrier", "wait", "/gate")
	require.Eventually(t, func() bool { return s.Watches() == 2 }, patience, 1e6)
	require.NoError(t, interrupted.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 130, interrupted.code())
	prints(t, env, "", "barrier", "lift", "/gate")
	require.Zero(t, waits.code())
	again = start(t, env, "", "barrier", "lift", "/gate")
	require.Zero(t, again.code())
	require.Equal(t, "zookit: /gate was not set\n", again.err.String())

	for name, test := range map[string]struct {
		args []string
		code int
	}{
		"no verb there is": {args: []string{"barrier", "close", "/g"}, code: 64},
		"bad path":         {args: []string{"barrier", "set", "g"}, code: 64},
		"no parties":       {args: []string{"barrier", "run", "/d", "--", "true"}, code: 64},
		"no command":       {args: []string{"barrier", "run", "/d", "--parties", "1"}, code: 64},
		"too much grace":   {args: []string{"barrier", "run", "/d", "--parties", "1", "--grace", "9s", "--", "true"}, code: 64},
		"not all there":    {args: []string{"barrier", "run", "/d", "--parties", "2", "--timeout", "50ms", "--", "true"}, code: 75},
		"no such command":  {args: []string{"barrier", "run", "/d", "--parties", "1", "--", "no-such-command-anywhere"}, code: 127},
		"alone":            {args: []string{"barrier", "run", "/d", "--parties", "1", "--", "sh", "-c", "exit 3"}, code: 3},
		"as Kazoo does":    {args: []string{"barrier", "run", "/k", "--layout", "kazoo", "--parties", "1", "--", "true"}, code: 0},
		"nobody there":     {args: []string{"barrier", "set", "/g", "-s", "127.0.0.1:1", "--connect-timeout", "50ms"}, code: 69},
	} {
		t.Run(name, func(t *testing.T) { exits(t, env, test.code, test.args...) })
	}
}

// Nobody begins before all are there, and nobody ends before all have.
func TestBarrierTogether(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	one := start(t, env, "", "barrier", "run", "/d", "--parties", "2", "--id", "one", "--", "sh", "-c", `echo "begins in $ZOOKIT_PATH as $$"; exit 3`)
	require.Eventually(t, func() bool { return len(participants(s)) == 1 }, patience, 1e6)
	require.Empty(t, one.out.String())
	other := start(t, env, "", "barrier", "run", "/d", "--parties", "2", "--id", "other", "--", "sh", "-c", "trap 'exit 0' USR1; echo begins; while :; do sleep 0.01; done")
	one.says("begins in /d as ")
	one.says("\n")
	other.says("begins\n")
	var pid int
	_, err := fmt.Sscanf(one.out.String(), "begins in /d as %d\n", &pid)
	require.NoError(t, err)
	gone(t, pid)
	require.Eventually(t, func() bool { return s.Watches() > 0 }, patience, 1e6, "it waits for the other one")
	select {
	case <-one.done:
		require.Fail(t, "it has ended before the other one")
	default:
	}
	require.NoError(t, other.cmd.Process.Signal(syscall.SIGUSR1))
	require.Zero(t, other.code())
	require.Equal(t, 3, one.code())
}

// participants are the paths of their nodes.
func participants(s *zktest.Server) (all []string) {
	for path, node := range s.Dump() {
		if strings.HasPrefix(path, "/d/") && path != "/d/ready" && node.Stat.EphemeralOwner != 0 {
			all = append(all, path)
		}
	}
	return all
}

// Who is lost to the others is ended before they go on, also when the tool is stopped.
func TestBarrierIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(t *testing.T, s *zktest.Server, c *tool)
		late  bool // the others are let on at once, as no client can know before
	}{
		"session expired": {late: true, fault: func(t *testing.T, s *zktest.Server, _ *tool) {
			for _, path := range participants(s) {
				require.True(t, s.ExpireSession(s.Dump()[path].Stat.EphemeralOwner))
			}
		}},
		"network cut": {fault: func(_ *testing.T, s *zktest.Server, _ *tool) {
			s.Refuse()
			s.DropConnections()
		}},
		"tool stopped": {fault: func(t *testing.T, _ *zktest.Server, c *tool) {
			require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			c := start(t, environment(t, s.ConnectString()), "", "barrier", "run", "/d", "--parties", "1", "--session-timeout", "3s", "--grace", "1s", "--", "sh", "-c", obstinate)
			processes := pids(c)

			// Another participant would go on when the node has gone; this one is past all faults of the network.
			nodes := participants(s)
			require.Len(t, nodes, 1)
			cl, err := client.Connect(t.Context(), s.ConnectString(), client.WithSessionTimeout(time.Minute))
			require.NoError(t, err)
			t.Cleanup(func() { _ = cl.Close() })
			left := make(chan string, 1)
			go func() {
				still := ""
				for {
					_, there, w, err := cl.ExistsW(t.Context(), nodes[0])
					if err != nil || !there {
						if err != nil {
							still = err.Error()
						}
						break
					}
					<-w.C
				}
				for _, pid := range processes {
					if alive(pid) {
						still = fmt.Sprint(still, " ", pid)
					}
				}
				left <- still
			}()
			require.Eventually(t, func() bool { return len(s.Sessions()) == 2 }, patience, 1e6)
			test.fault(t, s, c)
			for _, pid := range processes {
				gone(t, pid)
			}
			require.Contains(t, c.out.String(), "asked", "SIGTERM comes first")
			s.Accept()
			require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT))
			require.Equal(t, 76, c.code())
			if still := <-left; !test.late {
				require.Empty(t, still, "who was there still when the others could go on")
			}
		})
	}
}
