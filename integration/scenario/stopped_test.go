package scenario

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

const (
	childRole    = "ZOOKIT_SCENARIO_CHILD"
	childServers = "ZOOKIT_SCENARIO_SERVERS"
)

func splitServers(list string) []string { return strings.Split(list, ",") }

// report is what the child process tells, one JSON object a line.
type report struct {
	Event string    `json:"event"`
	Token int64     `json:"token"`
	Err   string    `json:"err"`
	Lost  bool      `json:"lost"`
	At    time.Time `json:"at"`
}

// runChild is the process that is stopped: it takes the lock and, for each line on its
// standard input, does what the line says.
func runChild(role string) int {
	var mu sync.Mutex
	say := func(r report) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(os.Stdout).Encode(r)
	}
	fail := func(err error) int { say(report{Event: "failed", Err: err.Error()}); return 1 }
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	switch role {
	case "holder":
	case "resumable", "resume":
		if err := runResumer(ctx, say, role == "resume"); err != nil {
			return fail(err)
		}
		return 0
	default:
		return fail(fmt.Errorf("unknown role %q", role))
	}
	cl, err := client.Connect(ctx, os.Getenv(childServers), client.WithSessionTimeout(4*time.Second))
	if err != nil {
		return fail(err)
	}
	defer func() { _ = cl.Close() }()
	held, err := lock.NewMutex(cl, "/stopped/lock").Lock(ctx)
	if err != nil {
		return fail(err)
	}
	say(report{Event: "held", Token: held.Token()})
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch in.Text() {
		case "write":
			_, err := held.Txn().Set("/stopped/data", []byte("stale"), client.AnyVersion).Commit(ctx)
			r := report{Event: "written"}
			if err != nil {
				r.Err, r.Lost = err.Error(), held.Err() != nil
			}
			say(r)
		case "unlock":
			r := report{Event: "unlocked"}
			if err := held.Unlock(ctx); err != nil {
				r.Err = err.Error()
			}
			say(r)
		}
	}
	return 0
}

type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.Writer
	told chan report
	done chan struct{} // closed at the end of its output
}

func startChild(t *testing.T, role, servers string) *child {
	t.Helper()
	c := &child{t: t, told: make(chan report, 16), done: make(chan struct{})}
	c.cmd = exec.CommandContext(t.Context(), os.Args[0])
	c.cmd.Env = append(os.Environ(), childRole+"="+role, childServers+"="+servers)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	require.NoError(t, err)
	c.in = in
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	go func() {
		defer close(c.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var r report
			if json.Unmarshal(lines.Bytes(), &r) == nil {
				c.told <- r
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Signal(syscall.SIGCONT)
		_ = in.Close()
		<-c.done
		_ = c.cmd.Wait()
	})
	return c
}

func (c *child) next(event string) report {
	c.t.Helper()
	return c.nextOf(event)
}

// nextOf returns the next report, which has to be of one of the events.
func (c *child) nextOf(events ...string) report {
	c.t.Helper()
	select {
	case r := <-c.told:
		require.Contains(c.t, events, r.Event, "%+v", r)
		return r
	case <-time.After(time.Minute):
		c.t.Fatalf("the child did not say %q", events)
		return report{}
	}
}

// exited waits for the child's end.
func (c *child) exited() error {
	c.t.Helper()
	select {
	case <-c.done:
		return c.cmd.Wait()
	case <-time.After(time.Minute):
		c.t.Fatal("the child does not end")
		return nil
	}
}

func (c *child) do(what string) {
	c.t.Helper()
	_, err := fmt.Fprintln(c.in, what)
	require.NoError(c.t, err)
}

// TestStoppedProcess: a process that holds the lock is stopped past its session and
// continued. Its next fenced write is refused, and its Unlock leaves the next
// holder's lock alone.
func TestStoppedProcess(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, 2*time.Minute)
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(4*time.Second))
	_, err := cl.Create(ctx, "/stopped/data", []byte("first"), client.WithParents())
	require.NoError(t, err)

	c := startChild(t, "holder", e.Connect())
	token := c.next("held").Token
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
	held, err := lock.NewMutex(cl, "/stopped/lock").Lock(ctx)
	require.NoError(t, err)
	require.Greater(t, held.Token(), token)
	_, err = held.Txn().Set("/stopped/data", []byte("second"), client.AnyVersion).Commit(ctx)
	require.NoError(t, err)

	require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT))
	c.do("write")
	r := c.next("written")
	require.NotEmpty(t, r.Err, "the stale holder's write was accepted")
	require.True(t, r.Lost, "the stale holder knows that its lock is lost")
	c.do("unlock")
	require.Empty(t, c.next("unlocked").Err)

	data, _, err := cl.Get(ctx, "/stopped/data")
	require.NoError(t, err)
	require.Equal(t, "second", string(data))
	require.NoError(t, held.Err())
	_, ok, err := cl.Exists(ctx, held.Path())
	require.NoError(t, err)
	require.True(t, ok, "the next holder's node is still there")
	require.NoError(t, held.Unlock(ctx))
}
