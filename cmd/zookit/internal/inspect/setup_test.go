package inspect

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// limit is for what takes no time on a machine that is not busy.
const limit = time.Minute

// stage is a server, and clients of it.
type stage struct {
	t   *testing.T
	srv *zktest.Server
	cl  *client.Client
}

func newStage(t *testing.T) *stage {
	t.Helper()
	st := &stage{t: t, srv: zktest.Start(t)}
	st.cl = st.connect()
	return st
}

func (st *stage) connect() *client.Client {
	st.t.Helper()
	cl, err := client.Connect(st.t.Context(), st.srv.ConnectString(), client.WithSessionTimeout(40*time.Second))
	require.NoError(st.t, err)
	st.t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// later runs f on a goroutine, which ends with the test.
func (st *stage) later(f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background()) // not with the test, whose clients are closed later
	done := make(chan struct{})
	st.t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		f(ctx)
	}()
}

// look is what is at a path.
func (st *stage) look(path string) *report {
	st.t.Helper()
	q := &subject{cl: st.cl, hosts: &hosts{}}
	r, err := q.look(st.t.Context(), path)
	require.NoError(st.t, err)
	return r
}

// until waits until a report is as it is wanted, and returns it.
func (st *stage) until(path string, wanted func(r *report) bool) *report {
	st.t.Helper()
	var r *report
	require.Eventually(st.t, func() bool {
		r = st.look(path)
		return wanted(r)
	}, limit, time.Millisecond)
	return r
}

// standing waits until so many hold and wait.
func (st *stage) standing(path string, hold, wait int) *report {
	st.t.Helper()
	return st.until(path, func(r *report) bool { return len(r.Holders) == hold && len(r.Waiting) == wait })
}

// requireKind requires what a report says that a node is.
func requireKind(t *testing.T, r *report, kind, layout string, mayBe ...string) {
	t.Helper()
	require.Equal(t, kind, r.Kind, r.Summary)
	require.Equal(t, layout, r.Layout)
	require.Equal(t, mayBe, r.MayBe)
}

func identifiers(parties []party) []string {
	out := []string{}
	for _, p := range parties {
		out = append(out, p.Identifier)
	}
	return out
}
