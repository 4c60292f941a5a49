package conformance

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// tester is the test or the generated check that a conversation belongs to.
type tester interface {
	require.TestingT
	Helper()
	Fatalf(format string, args ...any)
}

// talk is one conversation. What differs from server to server is written down as what
// it is relative to the conversation: transactions from its beginning, sessions in the
// order in which they were opened; and no times.
type talk struct {
	t        tester
	addr     string
	lines    []string
	voices   map[string]*voice
	order    []string
	base     int64
	sessions map[int64]int64
	had      map[string]*jute.ConnectResponse // the latest session of each
	opened   map[int64]*jute.ConnectResponse  // all sessions
	config   string                           // the ensemble's servers, as last seen
	version  int64                            // of config
	// several says that there are several servers, each of which has to be told to catch up
	// before its clients know what has happened.
	several bool
}

// request is what is asked for.
type request struct {
	Op   jute.Op
	Body jute.Record
}

func newTalk(t tester, addr string) *talk {
	return &talk{
		t: t, addr: addr, voices: map[string]*voice{}, sessions: map[int64]int64{},
		had: map[string]*jute.ConnectResponse{}, opened: map[int64]*jute.ConnectResponse{},
	}
}

// speaks returns the connection of that name, which is opened if there is none.
func (k *talk) speaks(who string) *voice {
	k.t.Helper()
	if v := k.voices[who]; v != nil {
		return v
	}
	v := k.greet(who, &jute.ConnectRequest{TimeoutMillis: 30_000, Password: make([]byte, 16)})
	require.NotNil(k.t, v, "the server hangs up on %s", who)
	if k.base == 0 {
		k.setBase(v)
	}
	return v
}

// setBase makes the last transaction the one from which they are numbered.
func (k *talk) setBase(v *voice) {
	k.t.Helper()
	v.write(&jute.RequestHeader{Xid: jute.XidPing, Op: jute.OpPing})
	buf, err := v.read()
	require.NoError(k.t, err)
	var h jute.ReplyHeader
	h.Decode(jute.NewDecoder(buf))
	k.base = h.Zxid
}

// dial opens a connection.
func (k *talk) dial() *voice {
	k.t.Helper()
	nc, err := net.DialTimeout("tcp", k.addr, patience)
	require.NoError(k.t, err)
	require.NoError(k.t, nc.SetDeadline(time.Now().Add(patience)))
	return &voice{nc: nc, at: &jute.ConnectResponse{}}
}

// greet opens a connection with a handshake, and writes down whether it is accepted. One
// of that name which there was is forgotten, and not hung up on.
func (k *talk) greet(who string, r *jute.ConnectRequest) *voice {
	k.t.Helper()
	v := k.dial()
	nc := v.nc
	v.write(r)
	buf, err := v.read()
	if err != nil {
		k.ended(err)
		k.note("%s: refused", who)
		_ = nc.Close()
		return nil
	}
	d := jute.NewDecoder(buf)
	v.at.Decode(d)
	if d.Err() != nil {
		var h jute.ReplyHeader
		d = jute.NewDecoder(buf)
		h.Decode(d)
		require.NoError(k.t, d.Err(), "neither the answer to a handshake nor a reply: %x", buf)
		k.note("%s: a reply: xid %d, zxid %d, err %d, %d bytes left", who, h.Xid, k.since(h.Zxid), h.Err, d.Rest())
		_ = nc.Close()
		return nil
	}
	if _, known := k.sessions[v.at.SessionID]; !known && v.at.SessionID != 0 {
		k.sessions[v.at.SessionID] = int64(len(k.sessions) + 1)
	}
	if v.at.SessionID != 0 {
		k.had[who], k.opened[v.at.SessionID] = v.at, v.at
	}
	k.note("%s: session %d, timeout %d, %d bytes of password, read-only %v, %d bytes left",
		who, k.sessions[v.at.SessionID], v.at.TimeoutMillis, len(v.at.Password), v.at.ReadOnly, d.Rest())
	if !slices.Contains(k.order, who) {
		k.order = append(k.order, who)
	}
	k.voices[who] = v
	return v
}

// ended fails the test unless the error says that the server has hung up: a server that
// is silent must not pass for one that does.
func (k *talk) ended(err error) {
	k.t.Helper()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		k.t.Fatalf("%s has not answered for %v, after:\n%s", k.addr, patience, strings.Join(k.lines, "\n"))
	}
}

func (k *talk) note(format string, args ...any) {
	k.lines = append(k.lines, visible.Replace(fmt.Sprintf(format, args...)))
}

// visible writes what no terminal shows.
var visible = strings.NewReplacer("\x00", `\x00`, "\x01", `\x01`)

// forget closes a connection of which nothing more is expected.
func (k *talk) forget(who string) {
	if v := k.voices[who]; v != nil {
		_ = v.nc.Close()
		delete(k.voices, who)
	}
}

// close ends the sessions of those who still speak, each once: a second request could be
// under way to an ensemble's leader for longer than anybody waits.
func (k *talk) close() {
	ended := map[int64]bool{}
	for _, v := range k.voices {
		if !ended[v.at.SessionID] {
			v.write(&jute.RequestHeader{Xid: 1 << 30, Op: jute.OpCloseSession})
		}
		ended[v.at.SessionID] = true
		_ = v.nc.SetDeadline(time.Now().Add(patience))
		_, _ = io.Copy(io.Discard, v.nc) // the server hangs up
		_ = v.nc.Close()
	}
}

// ask sends a request and writes down the reply, the events that come before it, and
// those that all connections get because of it.
func (k *talk) ask(who string, op jute.Op, body jute.Record) {
	k.t.Helper()
	k.askAll(who, request{Op: op, Body: body})
}

// askAll is ask for several requests of a connection, sent without waiting.
func (k *talk) askAll(who string, requests ...request) {
	k.t.Helper()
	v := k.speaks(who)
	xids := make([]int32, len(requests))
	var frames []byte
	for i, r := range requests {
		v.xid++
		switch xids[i] = v.xid; r.Op {
		case jute.OpPing:
			xids[i] = jute.XidPing
		case jute.OpAuth:
			xids[i] = jute.XidAuth
		case jute.OpSetWatches, jute.OpSetWatches2:
			xids[i] = jute.XidSetWatches
		}
		frames = append(frames, frame(&jute.RequestHeader{Xid: xids[i], Op: r.Op}, k.based(r.Body))...)
		k.note("%s> %v %s", who, r.Op, show(r.Body))
	}
	v.send(frames)
	for i, r := range requests {
		if !k.listen(who, v, xids[i], r.Op) {
			break
		}
	}
	k.settle()
}

// based puts the server's number of a transaction into a request that has it from the
// beginning of the conversation.
func (k *talk) based(r jute.Record) jute.Record {
	switch b := r.(type) {
	case *jute.SetWatchesRequest:
		c := *b
		c.RelativeZxid += k.base
		return &c
	case *jute.SetWatches2Request:
		c := *b
		c.RelativeZxid += k.base
		return &c
	default:
		return r
	}
}

// settle writes down what the connections get until each has given a sign of life.
func (k *talk) settle() {
	k.t.Helper()
	for _, name := range k.order {
		v := k.voices[name]
		switch {
		case v == nil:
		case k.several:
			v.xid++
			v.write(&jute.RequestHeader{Xid: v.xid, Op: jute.OpSync}, &jute.PathRequest{Path: "/"})
			k.listen(name, v, v.xid, 0)
		default:
			v.write(&jute.RequestHeader{Xid: jute.XidPing, Op: jute.OpPing})
			k.listen(name, v, jute.XidPing, 0)
		}
	}
}

// listen writes down what comes until the reply; the reply itself if it has an
// operation. It reports false when the connection ends.
func (k *talk) listen(who string, v *voice, xid int32, op jute.Op) bool {
	k.t.Helper()
	for {
		buf, err := v.read()
		if err != nil {
			k.ended(err)
			k.note("%s< end", who)
			k.forget(who)
			return false
		}
		d := jute.NewDecoder(buf)
		var h jute.ReplyHeader
		h.Decode(d)
		h.Zxid = k.since(h.Zxid)
		switch {
		case h.Xid == xid && op == 0:
			return true
		case h.Xid == jute.XidNotification:
			k.event(who, buf)
		case h.Xid != xid:
			k.note("%s< %+v: not the reply", who, h)
			return false
		default:
			body := ""
			if r := replyTo(op); r != nil && d.Rest() > 0 {
				r.Decode(d)
				require.NoError(k.t, d.Err())
				k.level(r)
				body = show(r)
			}
			k.note("%s< zxid %d, err %d %s (%d bytes left)", who, h.Zxid, h.Err, body, d.Rest())
			if op != jute.OpCloseSession && h.Err != jute.Unimplemented && h.Err != jute.AuthFailed {
				return true
			}
			// The server hangs up. How many more requests it would take until then is chance.
			n, err := io.Copy(io.Discard, v.nc)
			k.ended(err)
			k.note("%s< end, after %d bytes", who, n)
			k.forget(who)
			return false
		}
	}
}

// await reads on until the end of a node is known, unless it is already.
func (k *talk) await(who, path string) {
	k.t.Helper()
	end := fmt.Sprintf("%s< event %d state 3 %s", who, jute.EventNodeDeleted, path)
	for !strings.HasPrefix(k.lines[len(k.lines)-1], end+" ") {
		_ = k.voices[who].nc.SetDeadline(time.Now().Add(patience))
		buf, err := k.voices[who].read()
		require.NoError(k.t, err)
		k.event(who, buf)
	}
}

// event writes down a watch event.
func (k *talk) event(who string, buf []byte) {
	var h jute.ReplyHeader
	var ev jute.WatcherEvent
	d := jute.NewDecoder(buf)
	h.Decode(d)
	ev.Decode(d)
	k.note("%s< event %d state %d %s (zxid %d, err %d, %d bytes left)", who, ev.Type, ev.State, ev.Path, h.Zxid, h.Err, d.Rest())
}
