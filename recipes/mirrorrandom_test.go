package recipes_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// replica is what a consumer of changes puts together. It fails the test when a node
// goes back in time or changes do not fit together.
type replica struct {
	mu       sync.Mutex
	nodes    map[string]*recipes.MirrorNode
	newest   map[string]int64 // the newest change of each path ever seen
	wrong    []string
	backward bool // servers may lose their data
}

func (r *replica) take(c recipes.MirrorChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.Kind == recipes.MirrorResynced {
		return
	}
	if r.nodes[c.Path] != c.Old {
		// A node that was only looked at again has a new stat and the same data.
		if a, b := r.nodes[c.Path], c.Old; a == nil || b == nil || a.Stat.Mzxid != b.Stat.Mzxid {
			r.wrong = append(r.wrong, fmt.Sprintf("%s of %s does not follow what was told before", c.Kind, c.Path))
		}
	}
	if c.New == nil {
		delete(r.nodes, c.Path)
		return
	}
	if c.New.Stat.Mzxid <= r.newest[c.Path] && !r.backward {
		r.wrong = append(r.wrong, fmt.Sprintf("%s went back from %d to %d", c.Path, r.newest[c.Path], c.New.Stat.Mzxid))
	}
	r.newest[c.Path] = c.New.Stat.Mzxid
	r.nodes[c.Path] = c.New
}

// replicate has a replica follow a mirror until the test ends.
func replicate(t *testing.T, m *recipes.Mirror) *replica {
	t.Helper()
	r := &replica{nodes: map[string]*recipes.MirrorNode{}, newest: map[string]int64{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		for c, err := range m.Changes(ctx) {
			if err == nil {
				r.take(c)
			}
		}
	}()
	return r
}

func content(nodes map[string]*recipes.MirrorNode) map[string]string {
	out := map[string]string{}
	for path, n := range nodes {
		out[path] = fmt.Sprintf("%s at %d since %d", n.Data, n.Stat.Mzxid, n.Stat.Czxid)
	}
	return out
}

func truth(srv *zktest.Server) map[string]string {
	out := map[string]string{}
	for path, n := range srv.Dump() {
		if path == tree || strings.HasPrefix(path, tree+"/") {
			out[path] = fmt.Sprintf("%s at %d since %d", n.Data, n.Stat.Mzxid, n.Stat.Czxid)
		}
	}
	return out
}

// same requires that a mirror and its replica come to show what the server has, in the time of a bubble.
func same(t *testing.T, srv *zktest.Server, m *recipes.Mirror, r *replica) {
	t.Helper()
	compare := func() (want, have, told map[string]string) {
		nodes := map[string]*recipes.MirrorNode{}
		for n := range m.Snapshot().All() {
			nodes[n.Path] = n
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return truth(srv), content(nodes), content(r.nodes)
	}
	for range 1000 {
		want, have, told := compare()
		if m.State().Synced && maps.Equal(want, have) && maps.Equal(want, told) {
			break
		}
		pass(100 * time.Millisecond)
	}
	want, have, told := compare()
	require.Equal(t, want, have, "the mirror")
	require.Equal(t, want, told, "the replica")
	require.Empty(t, r.wrong)
	require.True(t, m.State().Synced, "%+v", m.State())
}

// somewhere is a random path of a small tree.
func somewhere(rnd *rand.Rand) string {
	path := []string{tree}
	for range rnd.IntN(4) {
		path = append(path, string(rune('a'+rnd.IntN(4))))
	}
	return strings.Join(path, "/")
}

// upset does something to the tree, or to those who watch it. What cannot be done is not.
func upset(srv *zktest.Server, cl *client.Client, rnd *rand.Rand, faults int) {
	path := somewhere(rnd)
	switch n := rnd.IntN(100); {
	case n < 40:
		_ = srv.Create(path, []byte(fmt.Sprint(rnd.IntN(1000))))
	case n < 70:
		_ = srv.Set(path, []byte(strings.Repeat(fmt.Sprint(rnd.IntN(1000)), 1+rnd.IntN(300))))
	case n < 100-faults:
		_ = srv.Delete(path)
	case n < 97:
		srv.DropConnections()
	case n < 99:
		srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpGetData, zktest.OpExists, zktest.OpGetChildren2, zktest.OpSync}})
	default:
		srv.ExpireSession(cl.State().SessionID)
	}
}

func TestMirrorOfARandomTree(t *testing.T) {
	for seed := range uint64(4) {
		runInBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 7))
			srv := zktest.Start(t, inMemory)
			cl := connect(t, srv)
			m := startMirror(t, cl, recipes.MirrorConfig{})
			r := replicate(t, m)
			for round := range 6 {
				faults := 20 * (round % 2)
				for range 100 {
					upset(srv, cl, rnd, faults)
					if rnd.IntN(4) == 0 { // let it see what is in between
						pass(time.Duration(rnd.IntN(500)) * time.Millisecond)
					}
				}
				same(t, srv, m, r)
			}
		})
	}
}
