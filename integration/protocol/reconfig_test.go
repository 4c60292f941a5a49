package protocol

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

const (
	superUser  = "super:s3cret"
	opReconfig = 16
)

// reconfigurable are the options of servers that let the super user reconfigure them.
func reconfigurable(more ...ensemble.Option) []ensemble.Option {
	return append([]ensemble.Option{
		ensemble.WithConfig("reconfigEnabled", "true"),
		ensemble.WithConfig("DigestAuthenticationProvider.superDigest", client.DigestACL(client.PermAll, "super", "s3cret").ID),
	}, more...)
}

// TestReconfig: a server leaves the ensemble and joins it again.
func TestReconfig(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3, reconfigurable()...)
	ctx := trial.Within(t, 2*time.Minute)
	nobody := trial.Connect(t, e.Connect())
	super := trial.Connect(t, e.Connect()+"/below", client.WithAuth("digest", superUser), client.WithCreateChroot())

	before, err := nobody.EnsembleConfig(ctx)
	require.NoError(t, err)
	require.Len(t, before.Servers, 3)
	parsed, err := client.ParseEnsembleConfig(before.String())
	require.NoError(t, err)
	require.Equal(t, before, parsed)
	under, err := super.EnsembleConfig(ctx)
	require.NoError(t, err, "no chroot applies")
	require.Equal(t, before, under)

	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	i := slices.IndexFunc(e.Servers(), func(s *ensemble.Server) bool { return s != leader })
	id := int64(e.Servers()[i].ID())
	out := before.Servers[i]
	require.Equal(t, id, out.ID)

	_, err = nobody.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{id}}, client.AnyConfig)
	require.ErrorIs(t, err, client.ErrNoAuth)
	_, err = super.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{id}}, before.Version+1)
	require.ErrorIs(t, err, client.ErrBadVersion)
	twin := out
	twin.ID = 9 // at the ports of the other
	_, err = super.Reconfig(ctx, client.Reconfiguration{Joining: []client.EnsembleServer{twin}}, client.AnyConfig)
	require.ErrorIs(t, err, client.ErrBadArgument, "the server would accept it")
	require.Equal(t, client.NotSent, client.Outcome(err))
	absent := client.EnsembleServer{ID: 8, Addrs: []client.PeerAddr{{Host: "127.0.0.1", QuorumPort: 1, ElectionPort: 2}}, ClientPort: 3}
	_, err = super.Reconfig(ctx, client.Reconfiguration{Members: []client.EnsembleServer{absent}}, client.AnyConfig)
	require.ErrorIs(t, err, client.ErrBadArgument, "at least two")
	require.Equal(t, client.Definite, client.Outcome(err))
	absent2 := client.EnsembleServer{ID: 7, Addrs: []client.PeerAddr{{Host: "127.0.0.1", QuorumPort: 4, ElectionPort: 5}}, ClientPort: 6}
	_, err = super.Reconfig(ctx, client.Reconfiguration{Members: []client.EnsembleServer{out, absent, absent2}}, client.AnyConfig)
	require.ErrorIs(t, err, client.ErrNewConfigNoQuorum)

	smaller, err := super.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{id}}, before.Version)
	require.NoError(t, err)
	require.Greater(t, smaller.Version, before.Version)
	require.Len(t, smaller.Servers, 2)
	_, still := smaller.Server(id)
	require.False(t, still)
	require.NoError(t, super.Sync(ctx, "/"))
	now, err := super.EnsembleConfig(ctx)
	require.NoError(t, err)
	require.Equal(t, smaller, now)

	whole, err := super.Reconfig(ctx, client.Reconfiguration{Joining: []client.EnsembleServer{out}}, smaller.Version)
	require.NoError(t, err)
	require.Equal(t, before.Servers, whole.Servers)
	require.Greater(t, whole.Version, smaller.Version)

	out.Role = client.Observer
	members := slices.Clone(whole.Servers)
	members[i] = out
	again, err := super.Reconfig(ctx, client.Reconfiguration{Members: members}, client.AnyConfig)
	require.NoError(t, err)
	require.Equal(t, members, again.Servers)
}

// TestReconfigOnALostConnection: whether the request is lost or its reply, the change is
// made once and the call succeeds.
func TestReconfigOnALostConnection(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3, reconfigurable()...)
	ctx := trial.Within(t, 2*time.Minute)
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	i := slices.IndexFunc(e.Servers(), func(s *ensemble.Server) bool { return s != leader })
	out := int64(e.Servers()[i].ID())
	proxy := faultproxy.Start(t, leader.Addr())
	super := trial.Connect(t, proxy.Addr(), client.WithAuth("digest", superUser))
	before, err := super.EnsembleConfig(ctx)
	require.NoError(t, err)
	member, _ := before.Server(out)

	lost := proxy.SwallowReply(faultproxy.Op(opReconfig))
	smaller, err := super.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{out}}, before.Version)
	require.NoError(t, err)
	<-lost.Fired()
	require.Len(t, smaller.Servers, 2)
	lost = proxy.DropRequest(faultproxy.Op(opReconfig), faultproxy.ThenCut)
	whole, err := super.Reconfig(ctx, client.Reconfiguration{Joining: []client.EnsembleServer{member}}, smaller.Version)
	require.NoError(t, err)
	<-lost.Fired()
	require.Equal(t, before.Servers, whole.Servers)
	sent := slices.DeleteFunc(proxy.Requests(), func(r faultproxy.Request) bool { return r.Op != opReconfig })
	require.Len(t, sent, 3, "repeated only where it was not made")
}

// TestReconfigDisabled: the servers' default.
func TestReconfigDisabled(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	cl := trial.Connect(t, e.Connect())
	_, err := cl.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{1}}, client.AnyConfig)
	require.ErrorIs(t, err, client.ErrReconfigDisabled)
	require.Equal(t, client.Definite, client.Outcome(err))
	cfg, err := cl.EnsembleConfig(ctx)
	require.NoError(t, err)
	require.Empty(t, cfg.Servers, "a server that stands alone has no configuration")
}

// TestReconfigOfTheLeader: the leader is taken out, and with it the connection goes; what
// became of it is found out.
func TestReconfigOfTheLeader(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3, reconfigurable()...)
	ctx := trial.Within(t, 2*time.Minute)
	for name, byLeader := range map[string]bool{"asked itself": true, "by way of a follower": false} {
		t.Run(name, func(t *testing.T) {
			leader, err := e.Leader(ctx)
			require.NoError(t, err)
			followers, err := e.Followers(ctx)
			require.NoError(t, err)
			at := trial.PinTo(leader.Addr())
			if !byLeader {
				at = trial.PinTo(followers[0].Addr())
			}
			super := trial.Connect(t, e.Connect(), client.WithAuth("digest", superUser), client.WithDialer(at.Dial))
			at.Free()
			before, err := super.EnsembleConfig(ctx)
			require.NoError(t, err)
			id := int64(leader.ID())
			member, ok := before.Server(id)
			require.True(t, ok)
			smaller, err := super.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{id}}, client.AnyConfig)
			require.NoError(t, err)
			_, still := smaller.Server(id)
			require.False(t, still)
			require.Greater(t, smaller.Version, before.Version)
			require.Eventually(t, func() bool {
				_, err = super.Reconfig(ctx, client.Reconfiguration{Joining: []client.EnsembleServer{member}}, client.AnyConfig)
				return !errors.Is(err, client.ErrNewConfigNoQuorum) && !errors.Is(err, client.ErrReconfigInProgress)
			}, time.Minute, 50*time.Millisecond)
			require.NoError(t, err)
		})
	}
}

// TestEnsembleTracking: a client that follows the configuration reaches a server that
// joined when it was connected already, while those that it was started with are gone.
func TestEnsembleTracking(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3, reconfigurable()...)
	ctx := trial.Within(t, 2*time.Minute)
	servers := e.Servers()
	super := trial.Connect(t, e.Connect(), client.WithAuth("digest", superUser))
	before, err := super.EnsembleConfig(ctx)
	require.NoError(t, err)
	smaller, err := super.Reconfig(ctx, client.Reconfiguration{Leaving: []int64{3}}, client.AnyConfig)
	require.NoError(t, err)
	require.Len(t, smaller.Servers, 2)

	// Where the servers say that they take clients need not be where these reach them.
	published := map[string]string{}
	told := func(ids ...int) (addrs []string) {
		for _, id := range ids {
			addrs = append(addrs, before.Servers[id-1].ClientAddrs()...)
		}
		return addrs
	}
	for i, s := range servers {
		published[told(i + 1)[0]] = s.Addr()
	}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if p, ok := published[addr]; ok {
			addr = p
		}
		if addr == servers[1].Addr() {
			return nil, errors.New("not this way")
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	cl := trial.Connect(t, servers[0].Addr(), client.WithEnsembleTracking(), client.WithDialer(dial), client.WithSessionTimeout(20*time.Second))
	session, err := cl.Session(ctx)
	require.NoError(t, err)
	knows := func(ids ...int) {
		want := told(ids...)
		if !slices.Contains(want, servers[0].Addr()) {
			want = append(want, servers[0].Addr()) // as given
		}
		require.Eventually(t, func() bool { return slices.Equal(want, cl.Servers()) }, 30*time.Second, 5*time.Millisecond, "%v", want)
	}
	knows(1, 2)
	_, err = super.Reconfig(ctx, client.Reconfiguration{Joining: before.Servers[2:]}, client.AnyConfig)
	require.NoError(t, err)
	knows(1, 2, 3)

	require.NoError(t, servers[0].Kill(ctx))
	_, _, err = cl.Get(ctx, "/")
	require.NoError(t, err)
	require.Equal(t, servers[2].Addr(), trial.ServerOf(cl))
	require.NoError(t, session.Context().Err(), "with its session")
}
