package jute

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecode feeds any bytes to any decoder. What it takes must encode to as many
// bytes as were read, and decode again to the same record.
func FuzzDecode(f *testing.F) {
	for _, r := range samples {
		for i, b := range blank {
			if sameKind(b.make(), r) {
				f.Add(byte(i), encode(r))
			}
		}
	}
	for i := range blank {
		f.Add(byte(i), []byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1})
		f.Add(byte(i), []byte{0xff, 0xff, 0xff, 0xfe})
	}
	f.Fuzz(func(t *testing.T, kind byte, frame []byte) {
		b := blank[int(kind)%len(blank)]
		r := b.make()
		d := NewDecoder(frame)
		r.Decode(d)
		if d.Err() != nil {
			require.ErrorIs(t, d.Err(), ErrMalformed)
			return
		}
		buf := encode(r)
		require.Len(t, buf, len(frame)-d.Rest(), "%s does not encode to the length that was read", b.name)
		roundTrip(t, r)
	})
}

// FuzzRoundTrip makes records of any content and expects them back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("/a", []byte("data"), int64(1), int32(2), true)
	f.Add("", []byte{}, int64(-1), int32(-1), false)
	f.Add("/\xff\x00", []byte(nil), int64(1)<<62, int32(1)<<30, true)
	f.Fuzz(func(t *testing.T, path string, data []byte, long int64, short int32, yes bool) {
		acl := []ACL{{Perms: short, Scheme: path, ID: string(data)}}
		stat := Stat{
			Czxid: long, Mzxid: -long, Ctime: long + 1, Mtime: long - 1, Version: short, Cversion: -short,
			Aversion: short + 1, EphemeralOwner: ^long, DataLength: short - 1, NumChildren: ^short, Pzxid: long ^ 5,
		}
		create := CreateRequest{Path: path, Data: data, ACL: acl, Flags: short}
		names := []string{path, string(data), ""}
		for _, r := range []Record{
			&ConnectRequest{ProtocolVersion: short, LastZxidSeen: long, TimeoutMillis: -short, SessionID: ^long, Password: data, ReadOnly: yes},
			&ConnectRequest{SessionID: long, Password: data, OldClient: true},
			&ConnectResponse{ProtocolVersion: short, TimeoutMillis: -short, SessionID: long, Password: data, ReadOnly: yes},
			&ConnectResponse{SessionID: long, Password: data, OldServer: true},
			&RequestHeader{Xid: short, Op: Op(-short)},
			&ReplyHeader{Xid: short, Zxid: long, Err: Code(-short)},
			&stat,
			&acl[0],
			&WatcherEvent{Type: short, State: -short, Path: path},
			&create,
			&CreateTTLRequest{CreateRequest: create, TTLMillis: long},
			&PathRequest{Path: path},
			&PathWatchRequest{Path: path, Watch: yes},
			&PathVersionRequest{Path: path, Version: short},
			&SetDataRequest{Path: path, Data: data, Version: short},
			&SetACLRequest{Path: path, ACL: acl, Version: short},
			&PathTypeRequest{Path: path, Type: short},
			&SetWatchesRequest{RelativeZxid: long, Data: names, Exist: names[:1], Child: names[:0]},
			&AuthRequest{Type: short, Scheme: path, Auth: data},
			&SASLRequest{Token: data},
			&SASLReply{Token: data},
			&MultiRequest{Ops: []MultiOp{
				{Op: OpCreate, Body: &create},
				{Op: OpCheck, Body: &PathVersionRequest{Path: path, Version: short}},
				{Op: OpSetData, Body: &SetDataRequest{Path: path, Data: data, Version: short}},
				{Op: OpGetData, Body: &PathWatchRequest{Path: path, Watch: yes}},
			}},
			&MultiReply{Results: []MultiResult{
				{Op: OpCreate, Path: path},
				{Op: OpCreate2, Path: path, Stat: stat},
				{Op: OpGetData, Data: data, Stat: stat},
				{Op: OpGetChildren, Children: names},
				{Op: OpError, Err: Code(short)},
			}},
			&PathReply{Path: path},
			&Create2Reply{Path: path, Stat: stat},
			&DataReply{Data: data, Stat: stat},
			&ChildrenReply{Children: names},
			&Children2Reply{Children: names, Stat: stat},
			&ACLReply{ACL: acl, Stat: stat},
		} {
			roundTrip(t, r)
		}
	})
}
