package zktest_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestRequests(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/a", 1)
	w.getData("/a", true)
	w.quiet()
	w.multi(step(jute.OpCheck, &jute.PathVersionRequest{Path: "/a", Version: 3}), step(jute.OpDelete, &jute.PathVersionRequest{Path: "/b"}))
	got := s.Requests()
	require.Len(t, got, 3, "pings and handshakes are left out")
	require.Equal(t, zktest.OpCreate, got[0].Op)
	require.Equal(t, "/a", got[0].Path)
	require.EqualValues(t, 1, got[0].Flags)
	require.Equal(t, w.sess.SessionID, got[0].Session)
	require.False(t, got[0].Time.IsZero())
	require.Nil(t, got[0].Data)
	require.True(t, got[1].Watch)
	require.Equal(t, zktest.OpMulti, got[2].Op)
	require.Len(t, got[2].Multi, 2)
	require.Equal(t, "/a", got[2].Multi[0].Path)
	require.EqualValues(t, 3, got[2].Multi[0].Version)
	require.Equal(t, zktest.OpDelete, got[2].Multi[1].Op)

	require.Len(t, s.Requests(zktest.On("", zktest.OpPing)), 1)
	require.Len(t, s.Requests(zktest.On("", zktest.OpConnect)), 1)
	require.Len(t, s.Requests(zktest.On("/a"), zktest.On("", zktest.OpPing)), 4)
	s.ResetRequests()
	require.Empty(t, s.Requests())
}

// word asks with a four-letter word.
func word(t *testing.T, s *zktest.Server, four string) string {
	t.Helper()
	c := dial(t, s.Addr())
	_, err := c.nc.Write([]byte(four))
	require.NoError(t, err)
	text, err := io.ReadAll(c.nc)
	require.NoError(t, err)
	return string(text)
}

func TestFourLetterWords(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.exists("/a", true)
	w.exists("/b", true)
	other.exists("/b", true)
	w.addWatch("/p", jute.AddWatchPersistent)
	w.addWatch("/r", jute.AddWatchPersistentRecursive)
	w.children("/", true)
	ask := func(four string) string { return word(t, s, four) }
	require.Equal(t, "imok", ask("ruok"))
	require.Equal(t, "rw", ask("isro"))
	require.Equal(t, "2 connections watching 4 paths\nTotal watches:5\n", ask("wchs"), "data watches only")
	require.NoError(t, s.Create("/b", []byte("12")))
	require.Equal(t, "2 connections watching 3 paths\nTotal watches:3\n", ask("wchs"), "a connection stays counted")
	require.Equal(t, created, w.event().Type)
	require.Equal(t, children, w.event().Type)
	w.mustCreate("/e", jute.FlagEphemeral)
	mntr := ask("mntr")
	for name, want := range map[string]string{
		"server_state": "standalone", "znode_count": "7", "ephemerals_count": "1", "watch_count": "5",
		"approximate_data_size": "51", "num_alive_connections": "3", "global_sessions": "2",
	} {
		require.Contains(t, mntr, "zk_"+name+"\t"+want+"\n")
	}
	require.Contains(t, ask("conf"), "\ntickTime=500\nmaxClientCnxns=0\nminSessionTimeout=1000\nmaxSessionTimeout=60000\n")
	require.Contains(t, ask("cons"), fmt.Sprintf(",sid=0x%x,lop=CREA,", w.sess.SessionID))
	require.True(t, strings.HasSuffix(ask("cons"), "[0](queued=0,recved=1,sent=0)\n\n"))
	require.Contains(t, ask("stat"), "\nClients:\n /127.0.0.1:")
	for _, four := range []string{"srvr", "stat"} {
		text := ask(four)
		require.Contains(t, text, "Zookeeper version: 3.8.0-zktest, built on ")
		require.Contains(t, text, fmt.Sprintf("\nConnections: 3\nOutstanding: 0\nZxid: 0x%x\nMode: standalone\nNode count: 7\n", s.Zxid()))
	}
	require.Contains(t, ask("envi"), "Environment:\nzookeeper.version=3.8.0-")
	require.True(t, s.DropConnection(other.sess.SessionID))
	require.Equal(t, "1 connections watching 3 paths\nTotal watches:3\n", ask("wchs"))
	require.Empty(t, ask("nope"), "anything else is the length of a frame, and too large")

	s.SetReadOnly(true)
	require.Equal(t, "ro", ask("isro"))
	require.Contains(t, ask("srvr"), "\nREAD-ONLY mode; serving only read-only clients\nLatency")
	require.Contains(t, ask("srvr"), "\nMode: read-only\n")
	s = zktest.Start(t, three(), zktest.WithSeparateWatchModes())
	require.Contains(t, ask("conf"), "\nmembership: \nserver.1=h:11:12:participant;")
	require.True(t, strings.HasSuffix(ask("conf"), "\nversion=100000000"))
	require.Contains(t, ask("srvr"), "version: 3.9.0-zktest,")
}
