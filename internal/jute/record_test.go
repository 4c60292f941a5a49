package jute

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// blank makes an empty record of each kind, by name. A record that is missing here
// is neither tested nor fuzzed.
var blank = []struct {
	name string
	make func() Record
}{
	{"ConnectRequest", func() Record { return &ConnectRequest{} }},
	{"ConnectResponse", func() Record { return &ConnectResponse{} }},
	{"RequestHeader", func() Record { return &RequestHeader{} }},
	{"ReplyHeader", func() Record { return &ReplyHeader{} }},
	{"Stat", func() Record { return &Stat{} }},
	{"ACL", func() Record { return &ACL{} }},
	{"WatcherEvent", func() Record { return &WatcherEvent{} }},
	{"CreateRequest", func() Record { return &CreateRequest{} }},
	{"CreateTTLRequest", func() Record { return &CreateTTLRequest{} }},
	{"PathRequest", func() Record { return &PathRequest{} }},
	{"PathWatchRequest", func() Record { return &PathWatchRequest{} }},
	{"PathVersionRequest", func() Record { return &PathVersionRequest{} }},
	{"SetDataRequest", func() Record { return &SetDataRequest{} }},
	{"SetACLRequest", func() Record { return &SetACLRequest{} }},
	{"PathTypeRequest", func() Record { return &PathTypeRequest{} }},
	{"SetWatchesRequest", func() Record { return &SetWatchesRequest{} }},
	{"SetWatches2Request", func() Record { return &SetWatches2Request{} }},
	{"ReconfigRequest", func() Record { return &ReconfigRequest{} }},
	{"CountReply", func() Record { return &CountReply{} }},
	{"WhoAmIReply", func() Record { return &WhoAmIReply{} }},
	{"AuthRequest", func() Record { return &AuthRequest{} }},
	{"SASLRequest", func() Record { return &SASLRequest{} }},
	{"SASLReply", func() Record { return &SASLReply{} }},
	{"MultiRequest", func() Record { return &MultiRequest{} }},
	{"MultiReply", func() Record { return &MultiReply{} }},
	{"PathReply", func() Record { return &PathReply{} }},
	{"Create2Reply", func() Record { return &Create2Reply{} }},
	{"DataReply", func() Record { return &DataReply{} }},
	{"ChildrenReply", func() Record { return &ChildrenReply{} }},
	{"Children2Reply", func() Record { return &Children2Reply{} }},
	{"ACLReply", func() Record { return &ACLReply{} }},
}

// fresh returns an empty record of the same kind.
func fresh(t testing.TB, r Record) Record {
	t.Helper()
	for _, b := range blank {
		if n := b.make(); sameKind(n, r) {
			return n
		}
	}
	require.Failf(t, "no such record", "%T is missing in blank", r)
	return nil
}

func sameKind(a, b Record) bool { return typeName(a) == typeName(b) }

func encode(r Record) []byte {
	var e Encoder
	r.Encode(&e)
	return e.B
}

// roundTrip encodes and decodes a record and compares the two.
func roundTrip(t testing.TB, r Record) {
	t.Helper()
	buf := encode(r)
	got := fresh(t, r)
	d := NewDecoder(buf)
	got.Decode(d)
	require.NoError(t, d.Err())
	require.Zero(t, d.Rest(), "bytes left over")
	require.Equal(t, r, got)
}

var (
	someStat = Stat{
		Czxid: 1, Mzxid: 2, Ctime: 3, Mtime: 4, Version: 5, Cversion: -6, Aversion: 7,
		EphemeralOwner: math.MinInt64, DataLength: 9, NumChildren: 10, Pzxid: math.MaxInt64,
	}
	someACL    = []ACL{{Perms: 31, Scheme: "world", ID: "anyone"}, {Perms: 1, Scheme: "digest", ID: "u:h"}}
	someCreate = CreateRequest{Path: "/a", Data: []byte{0, 255}, ACL: someACL, Flags: FlagEphemeralSequential}
)

// samples holds each record at least once, filled, and with what may be null or empty.
var samples = []Record{
	&ConnectRequest{ProtocolVersion: 1, LastZxidSeen: 2, TimeoutMillis: 3, SessionID: -4, Password: []byte("p"), ReadOnly: true},
	&ConnectRequest{Password: nil, OldClient: true},
	&ConnectRequest{Password: []byte{}},
	&ConnectResponse{ProtocolVersion: 1, TimeoutMillis: 2, SessionID: 3, Password: make([]byte, 16), ReadOnly: true},
	&ConnectResponse{OldServer: true},
	&RequestHeader{Xid: XidAuth, Op: OpAuth},
	&RequestHeader{Xid: math.MaxInt32, Op: OpCloseSession},
	&ReplyHeader{Xid: XidNotification, Zxid: -1, Err: NoNode},
	&someStat,
	&ACL{Perms: 31, Scheme: "ip", ID: "10.0.0.0/8"},
	&WatcherEvent{Type: EventNodeDeleted, State: 3, Path: "/ä"},
	&someCreate,
	&CreateRequest{Path: "", Data: nil, ACL: []ACL{}},
	&CreateTTLRequest{CreateRequest: someCreate, TTLMillis: math.MaxInt64},
	&PathRequest{Path: "/a"},
	&PathWatchRequest{Path: "/a", Watch: true},
	&PathVersionRequest{Path: "/a", Version: -1},
	&SetDataRequest{Path: "/a", Data: nil, Version: 3},
	&SetDataRequest{Path: "/a", Data: []byte{}, Version: 3},
	&SetACLRequest{Path: "/a", ACL: someACL, Version: math.MinInt32},
	&PathTypeRequest{Path: "/a", Type: WatchAny},
	&SetWatchesRequest{RelativeZxid: 9, Data: []string{"/a", ""}, Exist: []string{}, Child: []string{"/b"}},
	&SetWatches2Request{
		SetWatchesRequest: SetWatchesRequest{RelativeZxid: 9, Data: []string{"/a"}, Exist: []string{}, Child: []string{"/b"}},
		Persistent:        []string{"/p"}, Recursive: []string{"/r", "/"},
	},
	&ReconfigRequest{Joining: "server.4=h:1:2;3", Leaving: "1,2", Config: -1},
	&ReconfigRequest{NewMembers: "server.1=h:1:2;3", Config: math.MaxInt64},
	&CountReply{Count: 7},
	&WhoAmIReply{Identities: []ClientInfo{{Scheme: "ip", User: "127.0.0.1"}, {Scheme: "digest", User: "u"}}},
	&WhoAmIReply{Identities: []ClientInfo{}},
	&AuthRequest{Type: 0, Scheme: "digest", Auth: []byte("u:p")},
	&SASLRequest{Token: []byte{}},
	&SASLRequest{Token: []byte("username=")},
	&SASLReply{},
	&SASLReply{Token: []byte("rspauth=")},
	&MultiRequest{},
	&MultiRequest{Ops: []MultiOp{
		{Op: OpCreate, Body: &someCreate},
		{Op: OpCreate2, Body: &someCreate},
		{Op: OpCreateContainer, Body: &someCreate},
		{Op: OpCreateTTL, Body: &CreateTTLRequest{CreateRequest: someCreate, TTLMillis: 5}},
		{Op: OpDelete, Body: &PathVersionRequest{Path: "/a", Version: 1}},
		{Op: OpSetData, Body: &SetDataRequest{Path: "/a", Data: []byte("x"), Version: 2}},
		{Op: OpCheck, Body: &PathVersionRequest{Path: "/a", Version: 3}},
		{Op: OpGetData, Body: &PathWatchRequest{Path: "/a"}},
		{Op: OpGetChildren, Body: &PathWatchRequest{Path: "/a", Watch: true}},
	}},
	&MultiReply{},
	&MultiReply{Results: []MultiResult{
		{Op: OpCreate, Path: "/a"},
		{Op: OpCreate2, Path: "/a", Stat: someStat},
		{Op: OpCreateContainer, Path: "/a", Stat: someStat},
		{Op: OpCreateTTL, Path: "/a", Stat: someStat},
		{Op: OpDelete},
		{Op: OpSetData, Stat: someStat},
		{Op: OpCheck},
		{Op: OpGetData, Data: []byte("x"), Stat: someStat},
		{Op: OpGetChildren, Children: []string{"a", "b"}},
		{Op: OpError, Err: BadVersion},
	}},
	&PathReply{Path: "/a"},
	&Create2Reply{Path: "/a", Stat: someStat},
	&DataReply{Data: []byte("x"), Stat: someStat},
	&DataReply{Data: nil, Stat: someStat},
	&ChildrenReply{Children: []string{"a", "b"}},
	&Children2Reply{Children: []string{}, Stat: someStat},
	&ACLReply{ACL: someACL, Stat: someStat},
}

func TestRoundTrip(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range samples {
		t.Run(typeName(r), func(t *testing.T) { roundTrip(t, r) })
		seen[typeName(r)] = true
	}
	for _, b := range blank {
		require.True(t, seen[typeName(b.make())], "%s has no sample", b.name)
	}
}

// What the records look like on the wire is written out here from the protocol, so
// that a mistake made both in Encode and in Decode is seen.
func TestLayout(t *testing.T) {
	for _, c := range []struct {
		r    Record
		want string
	}{
		{&RequestHeader{Xid: -2, Op: OpPing}, "\xff\xff\xff\xfe\x00\x00\x00\x0b"},
		{&ReplyHeader{Xid: 1, Zxid: 2, Err: NoNode}, "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\xff\xff\xff\x9b"},
		{&PathWatchRequest{Path: "/a", Watch: true}, "\x00\x00\x00\x02/a\x01"},
		{&SetDataRequest{Path: "/", Data: nil, Version: -1}, "\x00\x00\x00\x01/\xff\xff\xff\xff\xff\xff\xff\xff"},
		{
			&CreateRequest{Path: "/a", Data: []byte("d"), ACL: []ACL{{Perms: 31, Scheme: "world", ID: "anyone"}}, Flags: 1},
			"\x00\x00\x00\x02/a\x00\x00\x00\x01d\x00\x00\x00\x01\x00\x00\x00\x1f\x00\x00\x00\x05world\x00\x00\x00\x06anyone\x00\x00\x00\x01",
		},
		{
			&MultiRequest{Ops: []MultiOp{{Op: OpCheck, Body: &PathVersionRequest{Path: "/a", Version: 7}}}},
			"\x00\x00\x00\x0d\x00\xff\xff\xff\xff\x00\x00\x00\x02/a\x00\x00\x00\x07\xff\xff\xff\xff\x01\xff\xff\xff\xff",
		},
		{
			&MultiReply{Results: []MultiResult{{Op: OpError, Err: RuntimeInconsistency}}},
			"\xff\xff\xff\xff\x00\xff\xff\xff\xfe\xff\xff\xff\xfe\xff\xff\xff\xff\x01\xff\xff\xff\xff",
		},
		{
			&ConnectRequest{LastZxidSeen: 1, TimeoutMillis: 2, SessionID: 3, Password: []byte("p"), OldClient: true},
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x01p",
		},
		{&SASLRequest{Token: []byte{}}, "\x00\x00\x00\x00"},
		{&ReconfigRequest{Leaving: "1", Config: -1}, "\xff\xff\xff\xff\x00\x00\x00\x011\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
		{&WhoAmIReply{Identities: []ClientInfo{{Scheme: "ip", User: "u"}}}, "\x00\x00\x00\x01\x00\x00\x00\x02ip\x00\x00\x00\x01u"},
		{&CountReply{Count: 2}, "\x00\x00\x00\x02"},
		{&SASLReply{Token: nil}, "\xff\xff\xff\xff"},
		{&SASLReply{Token: []byte("ab")}, "\x00\x00\x00\x02ab"},
		{&someStat, "" +
			"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x03" +
			"\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x05\xff\xff\xff\xfa\x00\x00\x00\x07" +
			"\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x0a\x7f\xff\xff\xff\xff\xff\xff\xff"},
	} {
		require.Equal(t, []byte(c.want), encode(c.r), typeName(c.r))
	}
	require.Len(t, encode(&ReplyHeader{}), ReplyHeaderLen)
}

func TestNames(t *testing.T) {
	require.Equal(t, "getChildren2", OpGetChildren2.String())
	require.Equal(t, "op(77)", Op(77).String())
}

func TestCommits(t *testing.T) {
	for _, op := range []Op{OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL, OpDelete, OpSetData, OpSetACL, OpMulti, OpReconfig} {
		require.True(t, op.Commits(), "%v", op)
	}
	for _, op := range []Op{OpExists, OpGetData, OpGetChildren2, OpSync, OpPing, OpMultiRead, OpAuth, OpSetWatches, OpRemoveWatches} {
		require.False(t, op.Commits(), "%v", op)
	}
}
