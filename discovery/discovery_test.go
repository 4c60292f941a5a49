package discovery_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	d := discovery.New(connect(t, srv), base)
	require.Equal(t, base, d.Base())
	names, err := d.Names(ctx)
	require.NoError(t, err)
	require.Empty(t, names)
	found, err := d.Instances(ctx, "svc")
	require.NoError(t, err)
	require.Empty(t, found)

	a := register(t, cl, instance("a", 80))
	b := register(t, cl, discovery.Instance{Name: "svc", Port: 81})
	require.Len(t, b.Instance().ID, 36)
	require.NotEmpty(t, b.Instance().Address)
	require.False(t, b.Instance().Registered.IsZero())
	require.Equal(t, base+"/svc/a", a.Path())
	require.NotNil(t, a.Node())
	names, err = d.Names(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"svc"}, names)
	found, err = d.Instances(ctx, "svc")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a", b.Instance().ID}, ids(found))
	one, err := d.Instance(ctx, "svc", "a")
	require.NoError(t, err)
	require.Equal(t, a.Instance(), one)

	off := a.Instance()
	off.Disabled = true
	require.NoError(t, a.Update(ctx, off))
	one, err = d.Instance(ctx, "svc", "a")
	require.NoError(t, err)
	require.True(t, one.Disabled)
	off.ID = "z"
	require.ErrorIs(t, a.Update(ctx, off), client.ErrBadArgument)

	require.NoError(t, a.Unregister(ctx))
	require.NoError(t, a.Unregister(ctx))
	require.ErrorIs(t, a.Update(ctx, a.Instance()), discovery.ErrUnregistered)
	_, err = d.Instance(ctx, "svc", "a")
	require.ErrorIs(t, err, discovery.ErrNoInstance)
	require.NoError(t, cl.Close())
	found, err = d.Instances(ctx, "svc")
	require.NoError(t, err)
	require.Empty(t, found, "they go with their client")
}

// What is not ephemeral stays until it is unregistered, and replaces what is there.
func TestPermanent(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	first, second := connect(t, srv), connect(t, srv)
	for _, kind := range []discovery.ServiceType{discovery.Static, discovery.Permanent} {
		i := instance("p", 80)
		i.Type = kind
		register(t, first, i)
		i.Port = 81
		r := register(t, second, i)
		require.Nil(t, r.Node())
		got, err := discovery.New(second, base).Instance(ctx, "svc", "p")
		require.NoError(t, err)
		require.Equal(t, 81, got.Port)
		i.Port = 82
		require.NoError(t, r.Update(ctx, i))
		require.NoError(t, r.Unregister(ctx))
		require.NoError(t, r.Unregister(ctx))
		require.ErrorIs(t, r.Update(ctx, i), discovery.ErrUnregistered)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	cl := connect(t, zktest.Start(t))
	ctx := bounded(t)
	for name, d := range map[string]*discovery.Discovery{
		"no client": discovery.New(nil, base), "path": discovery.New(cl, "services"), "option": discovery.New(cl, base, nil),
	} {
		_, err := d.Register(ctx, instance("a", 1))
		require.Error(t, err, name)
		_, err = d.Names(ctx)
		require.Error(t, err, name)
		_, err = d.Instances(ctx, "svc")
		require.Error(t, err, name)
		_, err = d.Instance(ctx, "svc", "a")
		require.Error(t, err, name)
		_, err = d.Watch(ctx, "svc")
		require.Error(t, err, name)
	}
	i := instance("a", 1)
	i.Type = discovery.DynamicSequential
	_, err := discovery.New(cl, base).Register(ctx, i)
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = discovery.New(cl, base).Watch(ctx, "a//b")
	require.ErrorIs(t, err, client.ErrBadPath)
}

// C9: whatever is lost while an instance is registered, there is one; and when connections come back nothing changes.
func TestRegisterIsLost(t *testing.T) {
	t.Parallel()
	for _, kind := range []discovery.ServiceType{discovery.Dynamic, discovery.Permanent} {
		for what, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply} {
			for n := range 4 {
				t.Run(fmt.Sprintf("%v, %s %d", kind, what, n), func(t *testing.T) {
					t.Parallel()
					srv := zktest.Start(t)
					cl := connect(t, srv)
					left := n
					lose(srv, zktest.Match{Session: sessionOf(t, cl), Where: func(zktest.Request) bool {
						left--
						return left < 0
					}})
					i := instance("a", 80)
					i.Type = kind
					register(t, cl, i)
					dir, _ := srv.Node(base + "/svc")
					require.Equal(t, []string{"a"}, dir.Children)
					before, _ := srv.Node(base + "/svc/a")
					s := watch(t, connect(t, srv))
					srv.DropConnections()
					requireIDs(t, s, "a")
					_, _, err := cl.Get(bounded(t), base)
					require.NoError(t, err)
					after, _ := srv.Node(base + "/svc/a")
					require.Equal(t, before.Stat.Czxid, after.Stat.Czxid, "it does not flap")
				})
			}
		}
	}
}

// An instance is registered again in the next session, and when somebody deletes it.
func TestRegisteredAgain(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	register(t, cl, instance("a", 80))
	s := watch(t, connect(t, srv))
	for _, harm := range []func(){
		func() { srv.ExpireSession(sessionOf(t, cl)) },
		func() { require.NoError(t, srv.Delete(base)) },
	} {
		before, _ := srv.Node(base + "/svc/a")
		harm()
		require.Eventually(t, func() bool {
			now, ok := srv.Node(base + "/svc/a")
			return ok && now.Stat.Czxid != before.Stat.Czxid
		}, patience, patience/10000)
		requireIDs(t, s, "a")
	}
}

// Two processes with one id: the second waits for the first to go.
func TestSameID(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	first := register(t, cl, instance("a", 80))
	_, err := discovery.New(cl, base).Register(bounded(t), instance("a", 81))
	require.ErrorIs(t, err, recipes.ErrNodeTaken)
	ctx, cancel := context.WithCancel(bounded(t))
	watched := srv.HoldReply(zktest.On(base+"/svc/a", zktest.OpGetData, zktest.OpExists))
	out := make(chan error, 1)
	go func() {
		_, err := discovery.New(connect(t, srv), base).Register(ctx, instance("a", 82))
		out <- err
	}()
	<-watched.Fired()
	watched.Release()
	cancel()
	err = <-out
	require.ErrorIs(t, err, context.Canceled)
	got, err := discovery.New(cl, base).Instance(bounded(t), "svc", "a")
	require.NoError(t, err)
	require.Equal(t, 80, got.Port)
	require.NoError(t, first.Unregister(bounded(t)))
	register(t, connect(t, srv), instance("a", 83))
}
