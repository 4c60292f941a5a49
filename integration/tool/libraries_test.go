package tool

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
)

// patience is how long the libraries may take to make their nodes.
const patience = 2 * time.Minute

// recipe is what zookit inspect says of a path: how many hold, wait and are there, of its kind and layout.
type recipe struct {
	Path, Kind, Layout        string
	Holders, Waiting, Members []struct{ Identifier, Item string }
	Value                     *int64
	Queue                     *struct{ Items, Leased, Delayed int }
}

// expected is one of them; a group has members only.
type expected struct {
	kind, layout             string
	holders, waiting, member int
}

// made runs a program of a library's, which makes nodes and says ready, until the test ends.
func made(t *testing.T, command ...string) {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), command[0], command[1:]...)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	var complaints strings.Builder
	c.Stderr = &complaints
	require.NoError(t, c.Start())
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
		_, _ = io.Copy(io.Discard, out)
	}()
	ready := ""
	t.Cleanup(func() {
		_ = in.Close()
		if ready == "" {
			_ = c.Process.Kill()
		}
		_ = c.Wait()
	})
	select {
	case ready = <-said:
	case <-time.After(patience):
	}
	require.Equal(t, "ready\n", ready, "%s", &complaints)
}

// agree requires that zookit locks, and inspect, know what is there.
func agree(t *testing.T, servers, root string, want map[string]expected) map[string]recipe {
	t.Helper()
	found := map[string]recipe{}
	require.Eventually(t, func() bool { // those who wait have just begun to
		var all []recipe
		code := document(t, servers, &all, "locks", root)
		for _, r := range all {
			found[r.Path] = r
		}
		return code == 0 && len(found) == len(want) && len(found[root+"/lock"].Waiting) == 1 && len(found[root+"/rw"].Waiting) == 1
	}, patience, 100*time.Millisecond, "%v", found)
	for path, w := range want {
		r := found[root+"/"+path]
		got := expected{r.Kind, r.Layout, len(r.Holders), len(r.Waiting), len(r.Members)}
		require.Equal(t, w, got, path)
	}
	return found
}

func value(t *testing.T, servers, path string, want int64) {
	t.Helper()
	var r recipe
	require.Zero(t, document(t, servers, &r, "inspect", path))
	require.Equal(t, "counter", r.Kind)
	require.Equal(t, want, *r.Value)
}

func TestInspectKazoo(t *testing.T) {
	t.Parallel()
	python := trial.Kazoo(t)
	e := ensemble.Start(t, 1)
	made(t, python, "testdata/kazoo/nodes.py", e.Connect())
	found := agree(t, e.Connect(), "/k", map[string]expected{
		"lock":        {"mutex", "kazoo", 1, 1, 0},
		"rw":          {"rwlock", "kazoo", 2, 1, 0},
		"semaphore":   {"semaphore", "kazoo", 1, 0, 0},
		"election":    {"mutex", "kazoo", 1, 0, 0}, // which may also be an election
		"lease":       {"lease", "kazoo", 1, 0, 0},
		"party":       {"group", "kazoo", 0, 0, 1},
		"shallow":     {"group", "kazoo shallow", 0, 0, 1},
		"queue":       {"queue", "Kazoo Queue", 0, 0, 0},
		"locking":     {"queue", "Kazoo LockingQueue", 1, 0, 0},
		"double":      {"double-barrier", "kazoo", 0, 1, 0},
		"partitioner": {"partitioner", "kazoo", 2, 0, 1},
	})
	require.Equal(t, "a", found["/k/lock"].Holders[0].Identifier)
	require.Equal(t, "p", found["/k/partitioner"].Holders[0].Item)
	require.Equal(t, 2, found["/k/locking"].Queue.Items)
	require.Equal(t, 1, found["/k/locking"].Queue.Leased)
	value(t, e.Connect(), "/k/counter", 41)
}

func TestInspectCurator(t *testing.T) {
	t.Parallel()
	command := trial.Curator(t, "testdata/curator")
	e := ensemble.Start(t, 1)
	made(t, append(command, "Nodes", e.Connect())...)
	found := agree(t, e.Connect(), "/c", map[string]expected{
		"lock":      {"mutex", "curator", 1, 1, 0},
		"rw":        {"rwlock", "curator", 1, 1, 0},
		"semaphore": {"semaphore", "curator", 1, 0, 0},
		"latch":     {"election", "curator", 1, 0, 0},
		"group":     {"group", "curator", 0, 0, 1},
		"double":    {"double-barrier", "curator", 0, 1, 0},
		"simple":    {"queue", "Curator SimpleDistributedQueue", 0, 0, 0},
		"queue":     {"queue", "Curator DistributedQueue", 0, 0, 0},
		"priority":  {"queue", "Curator DistributedPriorityQueue", 0, 0, 0},
		"delay":     {"queue", "Curator DistributedDelayQueue", 0, 0, 0},
		"id":        {"queue", "Curator DistributedIdQueue", 0, 0, 0},
	})
	require.Equal(t, "a", found["/c/latch"].Holders[0].Identifier)
	require.Equal(t, 1, found["/c/delay"].Queue.Delayed)
	value(t, e.Connect(), "/c/long", 41)
	value(t, e.Connect(), "/c/count", 42)
}
