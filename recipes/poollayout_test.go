package recipes_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const foreignPermit = "/0123456789abcdef0123456789abcdef"

// The two layouts, and a line, do not share a path: who comes second is told, and makes nothing.
func TestPoolLayoutConflict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		layout recipes.Layout
		there  string
	}{
		"a permit of Kazoo's":             {recipes.Curator, pool + foreignPermit},
		"the line of a pool of Kazoo's":   {recipes.Curator, pool + "-__lock__"},
		"a mutex of Curator's":            {recipes.Curator, pool + "/_c_x-lock-0000000000"},
		"a mutex of Kazoo's":              {recipes.Curator, pool + "/x__lock__0000000000"},
		"the line of a pool of Curator's": {recipes.Kazoo, pool + "/locks"},
		"the permits of Curator's":        {recipes.Kazoo, pool + "/leases"},
		"a mutex of Curator's, Kazoo":     {recipes.Kazoo, pool + "/_c_x-lock-0000000000"},
		"a latch, Kazoo":                  {recipes.Kazoo, pool + "/x-latch-0000000000"},
		"a reader of Kazoo's, Kazoo":      {recipes.Kazoo, pool + "/x__rlock__0000000000"},
	} {
		at := poolSites[c.layout]
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(c.there, nil))
		before := len(srv.Dump())
		p := at.pool(t, connect(t, srv), 2)
		for _, ask := range []func(context.Context, int) (*recipes.Grant, error){p.Acquire, p.TryAcquire} {
			_, err := ask(t.Context(), 1)
			require.ErrorIs(t, err, recipes.ErrLayoutConflict, name)
			require.ErrorContains(t, err, base(c.there), name)
		}
		require.Len(t, srv.Dump(), before, name)

		// Where it comes while the pool is in use it is noticed as well.
		if c.there == pool+"-__lock__" {
			continue // with the first permit
		}
		srv = zktest.Start(t)
		p = at.pool(t, connect(t, srv), 2)
		release(t, take(t, p, 1))
		at.requireLeft(t, srv, 0, 0)
		require.NoError(t, srv.Create(c.there, nil))
		_, err := p.Acquire(t.Context(), 1)
		require.ErrorIs(t, err, recipes.ErrLayoutConflict, name)
		require.EventuallyWithT(t, noPlace(srv, at), patience, poll)
	}
}

// Whatever else stands there is nobody's business, or counts as a permit as it does
// for the libraries.
func TestPoolForeignChildren(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(at.permits+"/000-aaa", nil))
		require.NoError(t, srv.Create(at.line+"/000-aaa", nil))
		require.NoError(t, srv.Create(pool+"x"+foreignPermit, nil))
		p := at.pool(t, connect(t, srv), 2)
		g := take(t, p, 1)
		_, err := p.TryAcquire(t.Context(), 1)
		require.ErrorIs(t, err, recipes.ErrBusy)
		require.NoError(t, srv.Delete(at.permits+"/000-aaa"))
		release(t, take(t, p, 1))
		release(t, g)
	})
}

// A permit of one of the libraries is waited for, and one that is gone is not.
func TestPoolPermitsOfOtherLibraries(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		free := at.hold(t, srv)
		next := takeWaiting(t.Context(), t, srv, at.pool(t, connect(t, srv), 1), 1)
		free()
		o := wait(t, "the permit", next)
		require.NoError(t, o.err)
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

// A place in line of one of the libraries is waited for.
func TestPoolLineOfOtherLibraries(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p := at.pool(t, connect(t, srv), 1)
		release(t, take(t, p, 1))
		at.requireLeft(t, srv, 0, 0)
		name := map[recipes.Layout]string{
			recipes.Curator: "/_c_01234567-89ab-cdef-0123-456789abcdef-lock-0000000000",
			recipes.Kazoo:   "/0123456789abcdef0123456789abcdef__lock__0000000000",
		}[at.layout]
		require.NoError(t, srv.Create(at.line+name, nil))
		require.NoError(t, srv.SetNextSequence(at.line, 1))
		next := at.takeQueued(t.Context(), t, srv, p, 1)
		require.Empty(t, at.held(srv))
		require.NoError(t, srv.Delete(at.line+name))
		o := wait(t, "the permit", next)
		require.NoError(t, o.err)
		release(t, o.grant)
	})
}
