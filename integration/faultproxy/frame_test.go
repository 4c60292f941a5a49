package faultproxy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func header(op int32) []any { return []any{op, false, int32(-1)} }

var multi = func() []byte {
	fields := []any{int32(5), OpMulti}
	acl := []any{int32(1), int32(31), "world", "anyone"}
	add := func(op int32, more ...any) { fields = append(append(fields, header(op)...), more...) }
	add(OpCheck, "/check", int32(3))
	add(OpCreate2, append(append([]any{"/create2", "data"}, acl...), int32(0))...)
	add(OpCreateTTL, append(append([]any{"/ttl", "data"}, acl...), int32(5), int64(1000))...)
	add(OpSetData, "/set", "data", int32(-1))
	add(OpDelete, "/delete", int32(-1))
	return frame(append(fields, int32(-1), true, int32(-1))...)
}()

func TestDecodeMulti(t *testing.T) {
	r, ok := decodeRequest(multi)
	require.True(t, ok)
	want := []Part{{OpCheck, "/check"}, {OpCreate2, "/create2"}, {OpCreateTTL, "/ttl"}, {OpSetData, "/set"}, {OpDelete, "/delete"}}
	require.Equal(t, want, r.Parts)
	require.Equal(t, "/check", r.Path)
	require.Equal(t, "connection 0 xid 5 multi check /check, create2 /create2, createTTL /ttl, setData /set, delete /delete", r.String())
	require.True(t, OpPath(OpMulti, "/delete")(r))
	require.False(t, OpPath(OpDelete, "/delete")(r))
	require.False(t, OpPath(OpMulti, "/other")(r))
}

func TestNth(t *testing.T) {
	m := Nth(2, Op(OpCreate))
	var hits []int
	for i, op := range []int32{OpCreate, OpDelete, OpCreate, OpCreate} {
		if m(Request{Op: op}) {
			hits = append(hits, i)
		}
	}
	require.Equal(t, []int{2}, hits)
}

func TestNonsenseIsPassedRaw(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"short request":   {0, 0, 0, 4, 1, 2, 3, 4},
		"negative length": {0xff, 0xff, 0xff, 0xff},
		"huge length":     {0x04, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t)
			p := Start(t, s.addr())
			c := connect(t, p)
			c.write(bytes)
			c.send(1, OpCreate, "/a")
			inspect(t, p, func(l *link) bool { return len(l.up.queue) == 0 })
			require.NoError(t, c.conn.CloseWrite())
			require.Error(t, s.session().ended(t))
			require.Len(t, p.Requests(), 1)
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(multi)
	f.Add(handshake())
	f.Add(frame(int32(1), OpCreate, "/a"))
	f.Add(frame(int32(-1), int64(-1), int32(0), int32(3), int32(3), "/a"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) < 4 {
			return
		}
		r, _ := decodeRequest(b)
		_ = r.String()
		_, _ = decodeReply(b)
	})
}
