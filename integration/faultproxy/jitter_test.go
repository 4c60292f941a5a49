package faultproxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJitter(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	p.Jitter(Both, 20*time.Millisecond)
	const many = 50
	for xid := range int32(many) {
		c.send(xid, OpSetData, "/a")
	}
	for xid := range int32(many) {
		require.Equal(t, xid, c.reply(), "late frames stay in order")
	}
	p.Jitter(ToServer, time.Duration(1<<62)) // a frame comes today by a chance that nobody sees
	seen := watchRequests(p)
	c.send(many, OpSetData, "/a")
	next(t, seen)
	require.Len(t, s.received(), many)
	p.Heal()
	require.Equal(t, int32(many), c.reply(), "what is late comes at once when the line is healed")
}

func TestUnlogged(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr(), Unlogged())
	c := connect(t, p)
	lost := p.SwallowReply(OpPath(OpCreate, "/b"))
	c.call(1, OpCreate, "/a")
	require.Empty(t, p.Requests())
	require.Empty(t, p.Replies())
	c.send(2, OpCreate, "/b")
	await(t, lost.Fired())
	require.Error(t, c.ended())
}
