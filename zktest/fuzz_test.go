package zktest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// FuzzServer sends any bytes: in a session or as a connection's first, as one frame or as
// they are, with lengths of their own. The server has to live, to end the connection when its
// client hangs up, and to go on answering another client, which nothing that the bytes do to the
// tree concerns: it is the super user.
func FuzzServer(f *testing.F) {
	frame := func(records ...jute.Record) []byte {
		var e jute.Encoder
		for _, r := range records {
			r.Encode(&e)
		}
		return e.B
	}
	head := func(op jute.Op) *jute.RequestHeader { return &jute.RequestHeader{Xid: 1, Op: op} }
	f.Add(frame(head(jute.OpCreate), &jute.CreateRequest{Path: "/a", ACL: anyone(31)}), true, true)
	f.Add(frame(head(jute.OpMulti), &jute.MultiRequest{Ops: []jute.MultiOp{
		step(jute.OpCreateTTL, &jute.CreateTTLRequest{CreateRequest: jute.CreateRequest{Path: "/a", ACL: anyone(31), Flags: 5}, TTLMillis: 1}),
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a", Version: -1}),
	}}), true, true)
	f.Add(frame(head(jute.OpSetWatches), &jute.SetWatchesRequest{Data: []string{"/a"}}), true, true)
	f.Add(frame(head(jute.OpAuth), &jute.AuthRequest{Scheme: "digest", Auth: []byte("u:p")}), true, true)
	f.Add(frame(head(jute.OpSetWatches2), &jute.SetWatches2Request{Persistent: []string{"/a"}, Recursive: []string{"/", "a/"}}), true, true)
	f.Add(frame(head(jute.OpAddWatch), &jute.PathTypeRequest{Path: "/", Type: jute.AddWatchPersistentRecursive}), true, true)
	f.Add(frame(head(jute.OpRemoveWatches), &jute.PathTypeRequest{Path: "/", Type: jute.WatchAny}), true, true)
	f.Add(frame(head(jute.OpGetEphemerals), &jute.PathRequest{Path: "/a"}), true, true)
	f.Add(frame(head(jute.OpGetAllChildrenNumber), &jute.PathRequest{Path: "/"}), true, true)
	f.Add(frame(head(jute.OpWhoAmI)), true, true)
	f.Add(frame(head(jute.OpReconfig)), true, true)
	f.Add(frame(head(jute.OpReconfig), &jute.ReconfigRequest{Joining: "server.4=h:1:2:observer;3", Leaving: "1,x", Config: -1}), true, true)
	f.Add(frame(head(jute.OpReconfig), &jute.ReconfigRequest{NewMembers: "server.4=a:1:2|b:1:2;3\nserver.5=[::1]:1:2;[::1]:3\nversion=1", Config: -1}), true, true)
	for _, word := range []string{"mntr", "ruok", "cons", "wchc", "wchp", "crst", "GET "} {
		f.Add([]byte(word), false, false)
	}
	ping := append([]byte{0, 0, 0, 8}, frame(head(jute.OpPing))...)
	f.Add(bytes.Repeat(ping, 3), true, false)
	f.Add([]byte("\x00\x00\x00\x0d\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x01/\x00\x00\x00\x08\x00\x00\x00\x02\xff\xff\xff\xf5"), true, false)
	f.Add(frame(&jute.ConnectRequest{TimeoutMillis: 1, Password: make([]byte, 16)}), true, true)
	f.Add(frame(&jute.ConnectRequest{LastZxidSeen: 1 << 60, SessionID: -1}), false, true)
	s := memory(f, three(), zktest.WithSuperUser("super", "secret"))
	witness := enter(f, s)
	witness.call(jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte("super:secret")}, nil)
	f.Fuzz(func(t *testing.T, data []byte, inSession, framed bool) {
		w := &wire{t: t, nc: reach(t, s)}
		if inSession {
			w.connect(&jute.ConnectRequest{TimeoutMillis: 1000})
		}
		if framed {
			data = append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
		}
		_, _ = w.nc.Write(data)
		require.NoError(t, w.nc.(interface{ CloseWrite() error }).CloseWrite())
		require.NoError(t, w.nc.SetDeadline(time.Now().Add(deadline)))
		_, err := io.Copy(io.Discard, w.nc)
		ne, ok := errors.AsType[net.Error](err)
		require.False(t, ok && ne.Timeout(), "the server does not hang up")

		witness.t = t
		require.NoError(t, witness.nc.SetDeadline(time.Now().Add(deadline)))
		h := witness.call(jute.OpGetData, &jute.PathWatchRequest{Path: "/"}, &jute.DataReply{})
		require.Equal(t, jute.OK, h.Err)
	})
}
