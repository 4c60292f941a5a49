package recipes_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// A node that a recipe has made itself is a grant like any other, and is removed in the recipe's way.
func TestClaim(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	made := func(path string) client.Created {
		c, err := cl.Create(t.Context(), path, nil, client.WithMode(client.Ephemeral))
		require.NoError(t, err)
		return c
	}
	var deleted atomic.Int32
	c := made("/mine")
	claimed := recipes.Claimed{Path: c.Path, Token: c.Stat.Czxid, For: "/all", Delete: func(ctx context.Context) error {
		deleted.Add(1)
		return s.Delete(ctx, c.Path, client.AnyVersion)
	}}
	g, err := recipes.Claim(t.Context(), s, claimed)
	require.NoError(t, err)
	require.NoError(t, g.Err())
	require.Equal(t, c.Stat.Czxid, g.Token())
	require.Equal(t, "/mine", g.Path())
	_, err = recipes.Claim(t.Context(), s, claimed)
	require.ErrorIs(t, err, client.ErrBadArgument, "it is held already")
	_, err = g.Txn().Create("/effect", nil).Commit(t.Context())
	require.NoError(t, err)
	require.NoError(t, g.Release(t.Context()))
	require.NoError(t, g.Release(t.Context()))
	require.EqualValues(t, 1, deleted.Load())
	_, ok := srv.Node("/mine")
	require.False(t, ok)

	c = made("/again")
	g, err = recipes.Claim(t.Context(), s, recipes.Claimed{Path: c.Path, Token: c.Stat.Czxid})
	require.NoError(t, err)
	require.True(t, srv.ExpireSession(s.ID()))
	<-g.Context().Done()
	require.ErrorIs(t, g.Err(), recipes.ErrGrantLost)
	_, err = recipes.Claim(t.Context(), s, recipes.Claimed{Path: c.Path, Token: c.Stat.Czxid})
	require.ErrorIs(t, err, client.ErrSessionLost)
	for _, bad := range []recipes.Claimed{{}, {Path: "/x"}, {Token: 1}} {
		_, err = recipes.Claim(t.Context(), s, bad)
		require.ErrorIs(t, err, client.ErrBadArgument)
	}
	_, err = recipes.Claim(t.Context(), nil, claimed)
	require.ErrorIs(t, err, client.ErrBadArgument)
}
