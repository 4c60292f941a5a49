package toolrecipes

import (
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

// TestTool: each recipe's commands do what they say.
func TestTool(t *testing.T) {
	e := ensemble.Start(t, 1)
	z := build(t, e.Connect())

	t.Run("queue", func(t *testing.T) {
		z.prints(t, "a\n", "queue", "put", "/jobs", "one", "--id", "a")
		z.prints(t, "a\n", "queue", "put", "/jobs", "one", "--id", "a")
		z.prints(t, "b\n", "queue", "put", "/jobs", "two", "--id", "b", "--priority", "-1")
		z.prints(t, "two 1\n", "queue", "take", "/jobs", "--", "sh", "-c", `echo "$(cat) $ZOOKIT_ATTEMPT"`)
		z.prints(t, "one", "queue", "take", "/jobs", "--pop")
		z.prints(t, "0\n", "queue", "len", "/jobs")

		z.prints(t, "c\n", "queue", "put", "/jobs", "three", "--id", "c")
		held := z.start(t, "queue", "take", "/jobs", "--hold", "10m", "-o", "raw")
		lease := held.line()
		require.Equal(t, "three", held.line())
		require.Zero(t, held.ends())
		z.prints(t, "", "queue", "nack", lease)
		z.prints(t, "three 2\n", "queue", "take", "/jobs", "--", "sh", "-c", `echo "$(cat) $ZOOKIT_ATTEMPT"`)
	})
	t.Run("config", func(t *testing.T) {
		z.prints(t, "", "config", "set", "/limits", `{"max":1}`)
		watch := z.start(t, "config", "watch", "/limits", "--count", "3")
		require.JSONEq(t, `{"max":1}`, watch.line())
		z.prints(t, "", "config", "set", "/limits", `{"max":2}`, "--version", "0")
		require.JSONEq(t, `{"max":2}`, watch.line())
		z.prints(t, "", "config", "rollback", "/limits")
		require.JSONEq(t, `{"max":1}`, watch.line())
		require.Zero(t, watch.ends())
	})
	t.Run("group", func(t *testing.T) {
		watch := z.start(t, "group", "watch", "/workers", "--count", "2")
		member := z.start(t, "group", "join", "/workers", "--id", "w", "--data", "here")
		require.Equal(t, "/workers/w", member.line())
		require.Equal(t, "joined w here", watch.line())
		require.NoError(t, member.cmd.Process.Signal(syscall.SIGTERM))
		require.Zero(t, member.ends())
		require.Equal(t, "left w", watch.line())
		require.Zero(t, watch.ends())
	})
	t.Run("barrier", func(t *testing.T) {
		z.prints(t, "", "barrier", "set", "/gate")
		waits := z.start(t, "barrier", "wait", "/gate")
		z.prints(t, "", "barrier", "lift", "/gate")
		require.Zero(t, waits.ends())
		var parties []*running
		for range 3 {
			parties = append(parties, z.start(t, "barrier", "run", "/round", "--parties", "3", "--", "sh", "-c", "echo in; read -r go; exit 3"))
		}
		for _, p := range parties {
			require.Equal(t, "in", p.line())
		}
		for _, p := range parties {
			require.NoError(t, p.in.Close())
		}
		for _, p := range parties {
			require.Equal(t, 3, p.ends())
		}
	})
}

// TestToolStopped: an item whose taker stands still is another one's only when the command has ended.
func TestToolStopped(t *testing.T) {
	e := ensemble.Start(t, 1)
	z := build(t, e.Connect())
	z.prints(t, "a\n", "queue", "put", "/jobs", "one", "--id", "a")
	c := z.start(t, "queue", "take", "/jobs", "--session-timeout", "4s", "--grace", "200ms", "--", "sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.01; done")
	pid, err := strconv.Atoi(c.line())
	require.NoError(t, err)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
	it, err := queue.NewWith(trial.Connect(t, e.Connect()), "/jobs", recipes.Raw{}).Take(trial.Within(t, 2*time.Minute))
	require.NoError(t, err)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "the command is there still")
	require.Equal(t, 2, it.Attempt)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT))
	require.Equal(t, 76, c.ends())
}

// TestToolLeaderKilled: what runs goes on when the leader of three servers is killed; nothing is counted twice or left out, and an
// item is acknowledged once.
func TestToolLeaderKilled(t *testing.T) {
	e := ensemble.Start(t, 3)
	z := build(t, e.Connect())
	ctx := trial.Within(t, 4*time.Minute)
	z.prints(t, "a\n", "queue", "put", "/jobs", "one", "--id", "a")
	worker := z.start(t, "queue", "take", "/jobs", "--session-timeout", "20s", "--", "sh", "-c", "echo works; while ! zookit wait /go --exists --timeout 1s; do :; done")
	require.Equal(t, "works", worker.line())

	const counters, each = 3, 6
	var group sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	killed := make(chan struct{})
	for range counters {
		group.Go(func() {
			for n := range each {
				if n == each/2 {
					<-killed
				}
				out, err := z.command(ctx, "counter", "add", "/n", "--session-timeout", "20s", "--connect-timeout", "1m").Output()
				mu.Lock()
				if err == nil {
					seen[strings.TrimSpace(string(out))] = true
				}
				mu.Unlock()
			}
		})
	}
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NoError(t, leader.Kill(ctx))
	close(killed)
	group.Wait()
	require.Len(t, seen, counters*each, "each has had a number of its own")
	z.prints(t, strconv.Itoa(counters*each)+"\n", "counter", "add", "/n", "0", "--connect-timeout", "1m")

	cl := trial.Connect(t, e.Connect())
	_, err = cl.Create(ctx, "/go", nil)
	require.NoError(t, err)
	require.Zero(t, worker.ends())
	z.prints(t, "0\n", "queue", "len", "/jobs")
	left, _, err := cl.Children(ctx, "/zookit/receipts")
	require.NoError(t, err)
	require.Empty(t, left)
}
