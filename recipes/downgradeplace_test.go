package recipes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/zktest"
)

// A downgrade puts a node in a place that a waiter took to be empty once the writer is
// gone: it has to look at the line again, even if nobody else was ahead of it.
func TestWaiterSeesWhoWasDowngraded(t *testing.T) {
	t.Parallel()
	const w, r = dir + "/_c_1-__WRIT__0000000003", dir + "/_c_2-__READ__0000000003"
	for name, downgrade := range map[string]func(t *testing.T, srv *zktest.Server) (writing <-chan outcome, leave func()){
		"by zookit": func(t *testing.T, srv *zktest.Server) (<-chan outcome, func()) {
			cl := connect(t, srv)
			g := acquire(t, newLine(t, cl, writers(0)))
			next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(0)))
			again := after(srv, blocked)
			reading, err := newLine(t, cl, readers(0)).Downgrade(t.Context(), g)
			require.NoError(t, err)
			wait(t, "the writer watching the reader", again)
			return next, func() { release(t, reading) }
		},
		"by a zookit that had to wait": func(t *testing.T, srv *zktest.Server) (<-chan outcome, func()) {
			cl := connect(t, srv)
			before := acquire(t, newLine(t, cl, readers(0)))
			mine := waiting(t.Context(), t, srv, newLine(t, cl, writers(0)))
			next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(0)))
			release(t, before)
			o := wait(t, "the writer", mine)
			require.NoError(t, o.err)
			again := after(srv, blocked)
			reading, err := newLine(t, cl, readers(0)).Downgrade(t.Context(), o.grant)
			require.NoError(t, err)
			wait(t, "the writer watching the reader", again)
			return next, func() { release(t, reading) }
		},
		"by Curator, after the waiter looked": func(t *testing.T, srv *zktest.Server) (<-chan outcome, func()) {
			require.NoError(t, srv.Create(w, nil))
			require.NoError(t, srv.SetNextSequence(dir, 4))
			next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(0)))
			require.NoError(t, srv.Create(r, nil))
			again := after(srv, blocked)
			require.NoError(t, srv.Delete(w))
			wait(t, "the writer watching the reader", again)
			return next, func() { require.NoError(t, srv.Delete(r)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			next, leave := downgrade(t, srv)
			require.Empty(t, next, "a reader holds")
			leave()
			o := wait(t, "the writer", next)
			require.NoError(t, o.err)
			release(t, o.grant)
			requireClean(t, srv, 0)
		})
	}
}
