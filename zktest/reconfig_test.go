package zktest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

const config = "/zookeeper/config"

// three are the servers of an ensemble; the first has the server's own address.
func three() zktest.Option {
	return zktest.WithReconfig("server.1=h:11:12;"+zktest.OwnAddr, "server.2=h:21:22:participant;h:23", "server.3=h:31:32;33")
}

func (w *wire) reconfig(r jute.ReconfigRequest) (jute.DataReply, jute.Code) {
	w.t.Helper()
	var out jute.DataReply
	h := w.call(jute.OpReconfig, &r, &out)
	return out, h.Err
}

func TestReconfig(t *testing.T) {
	s := zktest.Start(t, three(), zktest.WithSuperUser("super", "secret"))
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.auth("digest", "super:secret")
	base := "server.1=h:11:12:participant;" + s.Addr() + "\nserver.2=h:21:22:participant;h:23\nserver.3=h:31:32:participant;0.0.0.0:33\n"
	var out jute.DataReply
	require.Equal(t, jute.OK, other.call(jute.OpGetData, &jute.PathWatchRequest{Path: config, Watch: true}, &out).Err)
	require.Equal(t, base+"version=100000000", string(out.Data))
	require.Equal(t, []int64{0, -1, -1, -1}, []int64{out.Stat.Czxid, out.Stat.Mzxid, int64(out.Stat.Version), int64(out.Stat.Aversion)})

	for _, c := range []struct {
		r    jute.ReconfigRequest
		code jute.Code
		want string // the servers, without the version
	}{
		{r: jute.ReconfigRequest{Config: -1}, want: base},
		{r: jute.ReconfigRequest{Config: 1 << 32}, code: jute.BadVersion},
		{r: jute.ReconfigRequest{Config: -1, Leaving: "9"}, want: base},
		{r: jute.ReconfigRequest{Config: -1, Leaving: "x"}, code: jute.MarshallingError},
		{r: jute.ReconfigRequest{Config: -1, Leaving: "1,2"}, code: jute.BadArguments},
		{r: jute.ReconfigRequest{Config: -1, Joining: "nonsense"}, code: jute.BadArguments},
		{r: jute.ReconfigRequest{Config: -1, Joining: "server.x=h:41:42;43"}, code: jute.MarshallingError},
		{r: jute.ReconfigRequest{Config: -1, Joining: "server.4=h:41:42"}, code: jute.BadArguments},
		{r: jute.ReconfigRequest{Config: -1, Joining: "server.4=h:41:42:nonsense;43"}, code: jute.BadArguments},
		{r: jute.ReconfigRequest{Config: -1, Joining: "server.4=h:x:42;43"}, code: jute.BadArguments},
		{r: jute.ReconfigRequest{Config: -1, Joining: "server.4=h:41:42;43,server.5=h:51:52;53,server.6=h:61:62;63"}, code: jute.NewConfigNoQuorum},
		{r: jute.ReconfigRequest{Config: -1, Joining: "server.4=h:41:42:observer;43"}, want: base + "server.4=h:41:42:observer;0.0.0.0:43\n"},
		{r: jute.ReconfigRequest{Config: -1, Leaving: "4,3"}, want: "server.1=h:11:12:participant;" + s.Addr() + "\nserver.2=h:21:22:participant;h:23\n"},
		{r: jute.ReconfigRequest{Config: -1, NewMembers: "server.1=h:1:2;3\nserver.2=h:4:5"}, want: "server.1=h:1:2:participant;0.0.0.0:3\nserver.2=h:4:5:participant\n"},
		{r: jute.ReconfigRequest{Config: -1, NewMembers: "server.1=h:1:2;3"}, code: jute.BadArguments},
		{r: jute.ReconfigRequest{Config: -1, NewMembers: "nonsense=1"}, code: jute.BadArguments},
		{r: jute.ReconfigRequest{Config: -1, NewMembers: "server.7=h:1:2;3,server.8=h:1:2;3"}, code: jute.NewConfigNoQuorum},
	} {
		got, code := w.reconfig(c.r)
		require.Equal(t, c.code, code, "%+v", c.r)
		if code != jute.OK {
			continue
		}
		require.Equal(t, c.want+fmt.Sprintf("version=%x", 1<<32+s.Zxid()), string(got.Data), "%+v", c.r)
		require.EqualValues(t, -1, got.Stat.Version)
		require.Equal(t, s.Zxid(), got.Stat.Mzxid)
		n, _ := s.Node(config)
		require.Equal(t, got.Data, n.Data)
	}
	other.hears(watchEvent(changed, config))
	s.SetSynced(7, 8)
	_, code := w.reconfig(jute.ReconfigRequest{Config: 1<<32 + s.Zxid() - 3, NewMembers: "server.7=h:1:2;3,server.8=h:1:2;3"})
	require.Equal(t, jute.OK, code)
	s.Wipe()
	n, _ := s.Node(config)
	require.Equal(t, base+"version=100000000", string(n.Data))
}

// The permission is looked at last: whoever has none learns first what else is wrong.
func TestReconfigNeedsPermission(t *testing.T) {
	s := zktest.Start(t, three(), zktest.WithSuperUser("super", "secret"))
	w := open(t, s.Addr())
	for _, cred := range []string{"super:other", "other:secret"} {
		w.auth("digest", cred)
		_, code := w.reconfig(jute.ReconfigRequest{Config: -1, Joining: "nonsense"})
		require.Equal(t, jute.BadArguments, code)
		_, code = w.reconfig(jute.ReconfigRequest{Config: -1})
		require.Equal(t, jute.NoAuth, code)
		require.Equal(t, jute.NoAuth, w.call(jute.OpSetData, &jute.SetDataRequest{Path: config, Version: -1}, nil).Err)
	}
	// A persistent watch hears of it twice.
	w.addWatch(config, jute.AddWatchPersistent)
	super := open(t, s.Addr())
	super.auth("digest", "super:secret")
	_, code := super.reconfig(jute.ReconfigRequest{Config: -1})
	require.Equal(t, jute.OK, code)
	w.hears(watchEvent(changed, config), watchEvent(changed, config))
	var me jute.WhoAmIReply
	super.call(jute.OpWhoAmI, nil, &me)
	require.ElementsMatch(t, []jute.ClientInfo{{Scheme: "ip", User: "127.0.0.1"}, {Scheme: "super"}, {Scheme: "digest", User: "super"}}, me.Identities)
}

func TestReconfigIsOff(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	_, code := w.reconfig(jute.ReconfigRequest{Config: -1})
	require.Equal(t, jute.ReconfigDisabled, code)
	s.SetSynced(1)
	require.Equal(t, jute.MarshallingError, w.call(jute.OpReconfig, nil, nil).Err)
	for _, bad := range [][]string{
		nil, {"server.1=h:1:2;3"}, {"server.1=h:1:2;3", "server.2=h:1:2:observer;3"}, {"server.1=h:1:2;3", "server.1=h:1:2;3"},
		{"server.1=h:1:2;3", "server.2=h:1:2"}, {"server.1=h:1:2;3", "rubbish"},
	} {
		_, err := zktest.NewServer(zktest.WithReconfig(bad...))
		require.Error(t, err, "%q", bad)
	}
	_, err := zktest.NewServer(zktest.WithSuperUser("a:b", "c"))
	require.Error(t, err)
}
