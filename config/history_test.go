package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

func TestHistoryAndRollBack(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	d := config.New(cl, path, config.WithHistory[int](3))
	none, err := d.History(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
	for n := range 3 {
		require.NoError(t, d.Set(bounded(t), n))
	}
	require.NoError(t, srv.Set(path, []byte("by somebody else")))
	require.NoError(t, d.Set(bounded(t), 4))

	revisions, err := d.History(t.Context())
	require.NoError(t, err)
	require.Len(t, revisions, 3, "bounded")
	require.Equal(t, "by somebody else", string(revisions[0].Data))
	require.ErrorIs(t, revisions[0].Err, config.ErrBadDocument)
	require.Equal(t, 1, revisions[1].Value)
	require.NoError(t, revisions[1].Err)
	require.Equal(t, int32(1), revisions[1].Version.Number)
	require.WithinDuration(t, time.Now(), revisions[1].Replaced, patience)
	require.Equal(t, 0, revisions[2].Value)
	require.Greater(t, revisions[0].Version.Zxid, revisions[1].Version.Zxid)

	require.ErrorIs(t, d.RollBack(bounded(t), revisions[0].ID), config.ErrBadDocument)
	require.NoError(t, d.RollBack(bounded(t), revisions[1].ID))
	require.Equal(t, "1", data(srv))
	revisions, err = d.History(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, revisions[0].Value, "a roll-back can be rolled back")
	require.ErrorIs(t, d.RollBack(t.Context(), "x"), config.ErrNoRevision)
	require.ErrorIs(t, d.RollBack(t.Context(), strings.Repeat("0", 59)), config.ErrNoRevision)
	gone := "v" + strings.Repeat("0", 16) + "-00000000-" + strings.Repeat("0", 32)
	require.ErrorIs(t, d.RollBack(t.Context(), gone), config.ErrNoRevision)
}

// A document that was deleted and made again goes on with its history.
func TestHistoryOutlivesTheDocument(t *testing.T) {
	srv := zktest.Start(t)
	d := config.New(connect(t, srv), path, config.WithHistory[int](4))
	for n := range 3 {
		require.NoError(t, d.Set(bounded(t), n))
	}
	require.NoError(t, srv.Delete(path))
	require.NoError(t, d.Set(bounded(t), 3))
	require.NoError(t, d.Set(bounded(t), 4))
	revisions, err := d.History(t.Context())
	require.NoError(t, err)
	var got []string
	for _, r := range revisions {
		got = append(got, fmt.Sprint(r.Version.Exists, r.Value))
	}
	require.Equal(t, []string{"true 3", "false 0", "true 1", "true 0"}, got)
	require.ErrorIs(t, d.RollBack(t.Context(), revisions[1].ID), config.ErrNoRevision)
}

// The history is nowhere near the document, and whoever may not read the one may not read the other.
func TestHistoryIsOutOfTheWay(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv, client.WithAuth("digest", "ops:secret"))
	acl := []client.ACL{client.DigestACL(client.PermAll, "ops", "secret")}
	_, err := cl.Create(t.Context(), path, []byte("1"), client.WithParents(), client.WithACL(acl...))
	require.NoError(t, err)
	d := config.New[int](cl, path)
	require.NoError(t, d.Set(bounded(t), 2))
	n, _ := srv.Node("/config")
	require.Equal(t, []string{"limits"}, n.Children)
	n, _ = srv.Node(path)
	require.Empty(t, n.Children)

	stranger := connect(t, srv)
	revisions, err := d.History(t.Context())
	require.NoError(t, err)
	_, _, err = stranger.Get(t.Context(), history+"/"+revisions[0].ID)
	require.ErrorIs(t, err, client.ErrNoAuth)
	_, err = config.Watch[int](bounded(t), stranger, path)
	require.ErrorIs(t, err, client.ErrNoAuth)
}

func TestWithoutHistory(t *testing.T) {
	srv := zktest.Start(t)
	d := config.New(connect(t, srv), path, config.WithHistory[int](0))
	require.NoError(t, d.Set(bounded(t), 1))
	srv.ResetRequests()
	_, err := d.Update(bounded(t), increment)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"getData": 1, "setData": 1}, ops(srv))
	_, ok := srv.Node("/zookit")
	require.False(t, ok)
}

func TestCostOfAWrite(t *testing.T) {
	srv := zktest.Start(t)
	v := watch(t, connect(t, srv), config.WithDefault(0))
	require.NoError(t, v.Set(bounded(t), 1))
	srv.ResetRequests()
	_, err := v.Update(bounded(t), increment)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"getACL": 1, "multi": 1, "getChildren2": 1, "getData": 1}, ops(srv),
		"the ACL of the record, both writes, the list of records, and what the watch reads")
}

func TestBadArguments(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, d := range map[string]*config.Document[int]{
		"no client":      config.New[int](nil, path),
		"nil option":     config.New[int](cl, path, nil),
		"nil codec":      config.New(cl, path, config.WithCodec[int](nil)),
		"nil check":      config.New(cl, path, config.WithValidate[int](nil)),
		"nil binding":    config.New(cl, path, config.WithBinding[int](nil)),
		"history":        config.New(cl, path, config.WithHistory[int](-1)),
		"history's root": config.New(cl, path, config.WithHistoryRoot[int]("/")),
	} {
		require.ErrorIs(t, d.Set(t.Context(), 1), client.ErrBadArgument, name)
	}
	bad := config.New(cl, "x", config.WithHistoryRoot[int]("y"))
	for _, err := range []error{bad.Set(t.Context(), 1), bad.TrySet(t.Context(), config.Version{}, 1), bad.RollBack(t.Context(), "")} {
		require.ErrorIs(t, err, client.ErrBadPath)
	}
	_, err := bad.History(t.Context())
	require.ErrorIs(t, err, client.ErrBadPath)
	_, _, err = bad.Get(t.Context())
	require.ErrorIs(t, err, client.ErrBadPath)
	_, err = bad.Update(t.Context(), increment)
	require.ErrorIs(t, err, client.ErrBadPath)
	_, err = config.Watch[int](t.Context(), cl, "x")
	require.ErrorIs(t, err, client.ErrBadPath)
}
