package wire

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// Which answers confirm that the session lives: those that only a leader with a
// quorum can give, and only if they say that it was done for this session.
func TestWhatConfirms(t *testing.T) {
	check := &jute.MultiRequest{Ops: []jute.MultiOp{{Op: jute.OpCheck, Body: &jute.PathVersionRequest{Path: "/a", Version: -1}}}}
	failed := func(code jute.Code) *jute.MultiReply {
		return &jute.MultiReply{Results: []jute.MultiResult{{Op: jute.OpError, Err: jute.OK}, {Op: jute.OpError, Err: code}}}
	}
	passed := &jute.MultiReply{Results: []jute.MultiResult{{Op: jute.OpCheck}}}
	created := &jute.Create2Reply{Path: "/a"}
	for name, test := range map[string]struct {
		op       jute.Op
		request  jute.Record
		code     jute.Code
		reply    jute.Record
		confirms bool
	}{
		"create":             {jute.OpCreate, &jute.CreateRequest{Path: "/a"}, jute.OK, &jute.PathReply{Path: "/a"}, true},
		"create2":            {jute.OpCreate2, &jute.CreateRequest{Path: "/a"}, jute.OK, created, true},
		"createContainer":    {jute.OpCreateContainer, &jute.CreateRequest{Path: "/a"}, jute.OK, created, true},
		"createTTL":          {jute.OpCreateTTL, &jute.CreateTTLRequest{}, jute.OK, created, true},
		"delete":             {jute.OpDelete, &jute.PathVersionRequest{Path: "/a"}, jute.OK, nil, true},
		"setData":            {jute.OpSetData, &jute.SetDataRequest{Path: "/a"}, jute.OK, &jute.Stat{}, true},
		"setACL":             {jute.OpSetACL, &jute.SetACLRequest{Path: "/a"}, jute.OK, &jute.Stat{}, true},
		"a check that holds": {jute.OpMulti, check, jute.OK, passed, true},

		// A failed multi is answered with code OK. It can have failed because the
		// leader has expired the session, while the follower does not know yet.
		"a check that fails":        {jute.OpMulti, check, jute.OK, failed(jute.NoNode), false},
		"a check after expiry":      {jute.OpMulti, check, jute.OK, failed(jute.SessionExpired), false},
		"a multi of nothing":        {jute.OpMulti, &jute.MultiRequest{}, jute.OK, &jute.MultiReply{}, false},
		"a multi without an answer": {jute.OpMulti, check, jute.OK, nil, false},
		"a multi too large to read": {jute.OpMulti, check, jute.OK, filler(2000), false},
		"a multi refused":           {jute.OpMulti, check, jute.SessionMoved, nil, false},
		"a write that fails":        {jute.OpSetData, &jute.SetDataRequest{Path: "/a"}, jute.BadVersion, nil, false},
		"a write after expiry":      {jute.OpCreate, &jute.CreateRequest{Path: "/a"}, jute.SessionExpired, nil, false},

		"getData":      {jute.OpGetData, &jute.PathWatchRequest{Path: "/a"}, jute.OK, &jute.DataReply{}, false},
		"getChildren2": {jute.OpGetChildren2, &jute.PathWatchRequest{Path: "/a"}, jute.OK, &jute.Children2Reply{}, false},
		"sync":         {jute.OpSync, &jute.PathRequest{Path: "/a"}, jute.OK, &jute.PathReply{Path: "/a"}, false},
		"multiRead":    {jute.OpMultiRead, &jute.MultiRequest{}, jute.OK, passed, false},
		"addWatch":     {jute.OpAddWatch, &jute.PathTypeRequest{Path: "/a"}, jute.OK, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, pipes(t), func(c *Config) { c.MaxReply = 1000 })
				began := time.Now()
				_, p := r.connect()
				exchange := func(at time.Duration, op jute.Op, request jute.Record, code jute.Code, reply ...jute.Record) {
					time.Sleep(time.Until(began.Add(at)))
					call := NewCall(op, request)
					r.link.Send(call)
					h := p.expect(op)[0]
					time.Sleep(100 * time.Millisecond)
					p.send(append([]jute.Record{&jute.ReplyHeader{Xid: h.Xid, Zxid: 1, Err: code}}, reply...)...)
					_ = r.ended(call)
					require.Equal(t, began.Add(at), call.SentAt())
					require.Equal(t, began.Add(at+sessionTimeout), r.link.HeardUntil())
				}
				exchange(time.Second, jute.OpGetData, &jute.PathWatchRequest{Path: "/a"}, jute.OK, &jute.DataReply{})
				require.Equal(t, began.Add(sessionTimeout), r.link.ConfirmedUntil(), "by the making of the session")
				var reply []jute.Record
				if test.reply != nil {
					reply = append(reply, test.reply)
				}
				exchange(3*time.Second, test.op, test.request, test.code, reply...)
				want := began.Add(sessionTimeout)
				if test.confirms {
					want = want.Add(time.Second)
				}
				require.Equal(t, want, r.link.ConfirmedUntil())
			})
		})
	}
}

// Nothing is confirmed by taking up a session again, however often.
func TestResumingConfirmsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		require.True(t, r.link.ConfirmedUntil().IsZero())
		require.True(t, r.link.HeardUntil().IsZero())
		began := time.Now()
		for range 3 {
			_, p := r.connect()
			require.Equal(t, began.Add(sessionTimeout), r.link.ConfirmedUntil())
			require.Equal(t, time.Now().Add(sessionTimeout), r.link.HeardUntil())
			time.Sleep(time.Second)
			_ = p.raw.Close()
			r.next("disconnected")
		}
	})
}

// What counts as sent is the connect request, not its answer.
func TestHandshakeCountsFromItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t), oneCredential)
		began := time.Now()
		done := r.dialling()
		p := r.net.accept()
		p.hello()
		time.Sleep(time.Second)
		p.welcome(sessionID, sessionTimeout)
		time.Sleep(time.Second)
		p.reply(p.expect(jute.OpAuth)[0], 0)
		r.established(done)
		require.Equal(t, began.Add(sessionTimeout), r.link.ConfirmedUntil())
		require.Equal(t, began.Add(sessionTimeout), r.link.HeardUntil())
	})
}
