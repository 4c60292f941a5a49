package zktest_test

import (
	"io"
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

func TestFourLetterWords(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.exists("/a", true)
	w.exists("/b", true)
	ask := func(word string) string {
		c := dial(t, s.Addr())
		_, err := c.nc.Write([]byte(word))
		require.NoError(t, err)
		text, err := io.ReadAll(c.nc)
		require.NoError(t, err)
		return string(text)
	}
	require.Equal(t, "imok", ask("ruok"))
	require.Equal(t, "rw", ask("isro"))
	require.Contains(t, ask("srvr"), "\nMode: standalone\n")
	require.Equal(t, "1 connections watching 2 paths\nTotal watches:2\n", ask("wchs"))
	require.Empty(t, ask("nope"), "anything else is the length of a frame, and too large")
}
