package protocol

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

// fate says what becomes of an operation whose request or reply is lost.
type fate int

const (
	repeats  fate = iota // it is executed until it is answered
	unknown              // nothing can be found out
	resolved             // that it was not executed can be found out, in the same session
	found                // it is found out, in the same session
	settled              // it is found out, in the next session as well
)

// lossy is an operation on the nodes /n and /tree/a.
type lossy struct {
	name string
	fate fate
	on   faultproxy.Match
	run  func(context.Context, client.Ops) error
	part bool // it is several requests, of which on is not the last
}

const own = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

func result[T any](_ T, err error) error { return err }

func creation(name string, f fate, path string, opts ...client.CreateOption) lossy {
	on := func(r faultproxy.Request) bool {
		return (r.Op == faultproxy.OpCreate2 || r.Op == faultproxy.OpCreateContainer || r.Op == faultproxy.OpCreateTTL) && strings.HasSuffix(r.Path, path)
	}
	return lossy{name: name, fate: f, on: on, run: func(ctx context.Context, o client.Ops) error {
		return result(o.Create(ctx, path, []byte("x"), opts...))
	}}
}

func idempotently(l lossy) lossy {
	run := l.run
	l.run = func(ctx context.Context, o client.Ops) error { return run(ctx, o.Idempotent()) }
	l.name, l.fate = l.name+", idempotent", settled
	return l
}

func allLossy() []lossy {
	mode := client.WithMode
	ttl := client.WithTTL(time.Hour)
	on := func(op int32, path string) faultproxy.Match {
		return func(r faultproxy.Request) bool {
			return r.Op == op && (strings.HasSuffix(r.Path, path) || op == faultproxy.OpMulti && len(r.Parts) > 1)
		}
	}
	set := func(version int32) lossy {
		return lossy{name: fmt.Sprintf("Set version %d", version), fate: resolved, on: on(faultproxy.OpSetData, "/n"),
			run: func(ctx context.Context, o client.Ops) error { return result(o.Set(ctx, "/n", []byte("new"), version)) }}
	}
	remove := func(version int32) lossy {
		return lossy{name: fmt.Sprintf("Delete version %d", version), fate: resolved, on: on(faultproxy.OpDelete, "/n"),
			run: func(ctx context.Context, o client.Ops) error { return o.Delete(ctx, "/n", version) }}
	}
	blind := func(l lossy) lossy { l.fate = unknown; return l }
	txn := func(o client.Ops) *client.Txn { return o.Txn().Create("/new", nil).Set("/n", []byte("new"), 0) }
	return []lossy{
		{name: "Get", on: on(faultproxy.OpGetData, "/n"), run: func(ctx context.Context, o client.Ops) error {
			_, _, err := o.Get(ctx, "/n")
			return err
		}},
		{name: "Children", on: on(faultproxy.OpGetChildren2, "/n"), run: func(ctx context.Context, o client.Ops) error {
			_, _, err := o.Children(ctx, "/n")
			return err
		}},
		{name: "Sync", on: on(faultproxy.OpSync, "/n"), run: func(ctx context.Context, o client.Ops) error { return o.Sync(ctx, "/n") }},
		creation("Create", unknown, "/new"),
		creation("Create an ephemeral", unknown, "/new", mode(client.Ephemeral)),
		creation("Create a sequential", unknown, "/n/s-", mode(client.PersistentSequential)),
		creation("Create a container", unknown, "/new", mode(client.Container)),
		creation("Create with a time to live", unknown, "/new", mode(client.PersistentTTL), ttl),
		creation("Create with protection", found, "/n/"+own+"-", mode(client.EphemeralSequential), client.WithProtection(own)),
		creation("Create a persistent with protection", found, "/n/"+own+"-", mode(client.PersistentSequential), client.WithProtection(own)),
		idempotently(creation("Create", unknown, "/new")),
		idempotently(creation("Create an ephemeral", unknown, "/new", mode(client.Ephemeral))),
		idempotently(creation("Create a container", unknown, "/new", mode(client.Container))),
		idempotently(creation("Create with a time to live", unknown, "/new", mode(client.PersistentTTL), ttl)),
		{name: "Create parents", on: on(faultproxy.OpCreate2, "/p"), part: true, run: func(ctx context.Context, o client.Ops) error {
			return result(o.Create(ctx, "/p/q/new", nil, client.WithParents()))
		}},
		set(0), blind(set(client.AnyVersion)), idempotently(set(0)), idempotently(set(client.AnyVersion)),
		remove(0), blind(remove(client.AnyVersion)), idempotently(remove(0)), idempotently(remove(client.AnyVersion)),
		{name: "DeleteAll", on: on(faultproxy.OpDelete, "/tree/a"), part: true, run: func(ctx context.Context, o client.Ops) error {
			return o.DeleteAll(ctx, "/tree")
		}},
		{name: "SetACL", fate: unknown, on: on(faultproxy.OpSetACL, "/n"), run: func(ctx context.Context, o client.Ops) error {
			return result(o.SetACL(ctx, "/n", []client.ACL{client.WorldACL(client.PermAll)}, 0))
		}},
		{name: "Txn", fate: unknown, on: on(faultproxy.OpMulti, "/new"), run: func(ctx context.Context, o client.Ops) error {
			return result(txn(o).Commit(ctx))
		}},
		{name: "Txn with a marker", fate: found, on: on(faultproxy.OpMulti, "/new"), run: func(ctx context.Context, o client.Ops) error {
			return result(txn(o).WithMarker("/tree").Commit(ctx))
		}},
	}
}

// nodes are those below a directory: what a test compares of them.
type nodes map[string]string

func (n nodes) read(t *testing.T, cl *client.Client, path string) nodes {
	t.Helper()
	data, stat, err := cl.Get(t.Context(), path)
	var names []string
	if err == nil {
		names, _, err = cl.Children(t.Context(), path)
	}
	if errors.Is(err, client.ErrNoNode) { // gone meanwhile
		return n
	}
	require.NoError(t, err)
	if path != "/" && !strings.Contains(path, "/txn-") { // a marker goes in the background
		n[path] = fmt.Sprintf("%q version %d/%d ephemeral %v", data, stat.Version, stat.Aversion, stat.EphemeralOwner != 0)
	}
	for _, name := range names {
		n.read(t, cl, client.Join(path, name))
	}
	return n
}

func (n nodes) withoutEphemerals() nodes {
	n = maps.Clone(n)
	maps.DeleteFunc(n, func(_, node string) bool { return strings.HasSuffix(node, "ephemeral true") })
	return n
}

// lossStage is a chroot of its own with the nodes that the operations need.
func lossStage(t *testing.T, e *ensemble.Ensemble, name string) (observer *client.Client, chroot string) {
	t.Helper()
	chroot = "/loss/" + strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' || r == ',' {
			return '_'
		}
		return r
	}, name)
	observer = trial.Connect(t, e.Connect()+chroot, client.WithCreateChroot())
	_, err := observer.Create(t.Context(), "/n", []byte("old"))
	require.NoError(t, err)
	_, err = observer.Create(t.Context(), "/tree/a", nil, client.WithParents())
	require.NoError(t, err)
	return observer, chroot
}

// TestReplyLoss: every operation × {request lost, reply lost} × {same session, new
// session} on a real server: the outcome is told truly, and the nodes are as it says.
func TestReplyLoss(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	for _, op := range allLossy() {
		observer, chroot := lossStage(t, e, op.name+" undisturbed")
		before := nodes{}.read(t, observer, "/")
		doer := trial.Connect(t, e.Connect()+chroot)
		require.NoError(t, op.run(t.Context(), doer.Ops))
		require.NoError(t, observer.Sync(t.Context(), "/"))
		after := nodes{}.read(t, observer, "/")
		for _, executed := range []bool{false, true} {
			for _, anew := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/reply lost %v/new session %v", op.name, executed, anew), func(t *testing.T) {
					t.Parallel()
					op.lose(t, e, executed, anew, before, after)
				})
			}
		}
	}
}

func (op lossy) lose(t *testing.T, e *ensemble.Ensemble, executed, anew bool, before, after nodes) {
	observer, chroot := lossStage(t, e, t.Name())
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	timeout := 20 * time.Second
	if anew {
		timeout = 1500 * time.Millisecond
	}
	cl := trial.Connect(t, p.Addr()+chroot, client.WithSessionTimeout(timeout))
	first, err := cl.Session(t.Context())
	require.NoError(t, err)
	if anew { // when the fault hits, the proxy is gone until the session is over for the client
		p.OnRequest(func(r faultproxy.Request) {
			if op.on(r) && first.Context().Err() == nil {
				p.Refuse()
			}
		})
		context.AfterFunc(first.Context(), func() { _ = p.Accept() })
	}
	var fault *faultproxy.Fault
	if executed {
		fault = p.SwallowReply(op.on)
	} else {
		fault = p.DropRequest(op.on, faultproxy.ThenCut)
	}
	err = op.run(trial.Within(t, time.Minute), cl.Ops)
	_, missed := fault.Wait(trial.Within(t, time.Minute))
	require.NoError(t, missed)
	if anew {
		select {
		case <-first.Context().Done():
		case <-trial.Within(t, time.Minute).Done():
		}
	}
	want := after
	switch {
	case op.fate == repeats, op.fate == settled, op.fate == found && !anew, op.fate == resolved && !anew && !executed:
		require.NoError(t, err)
	default:
		require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
		require.ErrorIs(t, err, client.ErrConnectionLost)
		if !executed {
			want = before
		}
		if anew {
			want = want.withoutEphemerals() // they go with the session
		}
	}
	require.Eventually(t, func() bool {
		require.NoError(t, observer.Sync(t.Context(), "/"))
		return maps.Equal(want, nodes{}.read(t, observer, "/"))
	}, 20*time.Second, 100*time.Millisecond, "it is %v, not %v", nodes{}.read(t, observer, "/"), want)
	require.Equal(t, anew, first.Context().Err() != nil)
}
