package recipes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// TestOtherRecipesConflict: contenders of another recipe do not see those of this one,
// whatever their layout.
func TestOtherRecipesConflict(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]recipes.LineConfig{
		"x-latch-0000000000":   {},
		"x-__READ__0000000000": {},
		"x__rlock__0000000000": {Layout: recipes.Kazoo},
		"x-lock-0000000000":    {Kind: recipes.KindLatch},
		"x__lock__0000000000":  {Kind: recipes.KindLatch},
		"y-latch-0000000000":   {Kind: recipes.KindRead, Others: []recipes.Kind{recipes.KindWrite}},
	} {
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(dir+"/"+name, nil))
		cl := connect(t, srv)
		_, err := newLine(t, cl, cfg).TryAcquire(t.Context())
		require.ErrorIs(t, err, recipes.ErrLayoutConflict, name)
		require.ErrorContains(t, err, name)
		cfg.Tolerant = true
		_, err = newLine(t, cl, cfg).TryAcquire(t.Context())
		require.ErrorIs(t, err, recipes.ErrBusy, name)
	}
}

// TestPoolsConflict: a line is not on the path of a pool, whatever the layout of either; but one whose
// directory only has children of such names is.
func TestPoolsConflict(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		for _, pool := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
			srv := zktest.Start(t)
			cl := connect(t, srv)
			p, err := recipes.NewPool(cl, dir, recipes.PoolConfig{Layout: pool, Limit: 2})
			require.NoError(t, err)
			permit, err := p.Acquire(t.Context(), 1)
			require.NoError(t, err)
			l := newLine(t, cl, recipes.LineConfig{Layout: layout})
			_, err = l.Acquire(t.Context())
			require.ErrorIs(t, err, recipes.ErrLayoutConflict, "%s on %s", layout, pool)
			_, err = l.TryAcquire(t.Context())
			require.ErrorIs(t, err, recipes.ErrLayoutConflict, "%s on %s", layout, pool)
			require.ErrorContains(t, err, pool.String())
			require.Eventually(t, func() bool {
				ephemeral := 0
				for _, n := range srv.Dump() {
					if n.Stat.EphemeralOwner != 0 {
						ephemeral++
					}
				}
				return ephemeral == 1
			}, patience, poll, "nothing is left but the permit")
			release(t, permit)
		}
		srv := zktest.Start(t)
		for _, name := range []string{"locks", "leases/lease-x", "0123456789abcdef0123456789abcdef"} {
			require.NoError(t, srv.Create(dir+"/"+name, nil))
		}
		release(t, acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{Layout: layout})))
	}
}

// TestKindsOfOneLine: those that stand in one line see each other, in order, and a writer
// comes before the reader that it is becoming.
func TestKindsOfOneLine(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	for _, name := range []string{"a-__READ__0000000003", "b-__WRIT__0000000003", "c-__READ__0000000001", "d-__WRIT__0000000002"} {
		require.NoError(t, srv.Create(dir+"/"+name, nil))
	}
	l := newLine(t, connect(t, srv), recipes.LineConfig{Kind: recipes.KindRead, Others: []recipes.Kind{recipes.KindWrite}})
	all, err := l.Contenders(t.Context())
	require.NoError(t, err)
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	require.Equal(t, []string{"c-__READ__0000000001", "d-__WRIT__0000000002", "b-__WRIT__0000000003", "a-__READ__0000000003"}, names)
	require.Equal(t, recipes.KindWrite, all[1].Kind)
}
