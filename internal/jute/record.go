package jute

// ConnectRequest opens or takes up a session. It is the first frame of a
// connection and has no header.
type ConnectRequest struct {
	ProtocolVersion int32
	LastZxidSeen    int64
	TimeoutMillis   int32
	SessionID       int64
	Password        []byte
	ReadOnly        bool
	// OldClient is true when the trailing read-only byte is absent.
	OldClient bool
}

// Encode implements [Record].
func (r *ConnectRequest) Encode(e *Encoder) {
	e.Int32(r.ProtocolVersion)
	e.Int64(r.LastZxidSeen)
	e.Int32(r.TimeoutMillis)
	e.Int64(r.SessionID)
	e.Bytes(r.Password)
	if !r.OldClient {
		e.Bool(r.ReadOnly)
	}
}

// Decode implements [Record].
func (r *ConnectRequest) Decode(d *Decoder) {
	r.ProtocolVersion = d.Int32()
	r.LastZxidSeen = d.Int64()
	r.TimeoutMillis = d.Int32()
	r.SessionID = d.Int64()
	r.Password = d.Bytes()
	r.OldClient = d.Rest() == 0
	if !r.OldClient {
		r.ReadOnly = d.Bool()
	}
}

// ConnectResponse answers a [ConnectRequest]. A SessionID of 0 says that the
// session asked for has expired or that its password was wrong.
type ConnectResponse struct {
	ProtocolVersion int32
	TimeoutMillis   int32
	SessionID       int64
	Password        []byte
	ReadOnly        bool
	// OldServer is true when the trailing read-only byte is absent.
	OldServer bool
}

// Encode implements [Record].
func (r *ConnectResponse) Encode(e *Encoder) {
	e.Int32(r.ProtocolVersion)
	e.Int32(r.TimeoutMillis)
	e.Int64(r.SessionID)
	e.Bytes(r.Password)
	if !r.OldServer {
		e.Bool(r.ReadOnly)
	}
}

// Decode implements [Record].
func (r *ConnectResponse) Decode(d *Decoder) {
	r.ProtocolVersion = d.Int32()
	r.TimeoutMillis = d.Int32()
	r.SessionID = d.Int64()
	r.Password = d.Bytes()
	r.OldServer = d.Rest() == 0
	if !r.OldServer {
		r.ReadOnly = d.Bool()
	}
}

// RequestHeader precedes every request but the handshake.
type RequestHeader struct {
	Xid int32
	Op  Op
}

// Encode implements [Record].
func (r *RequestHeader) Encode(e *Encoder) { e.Int32(r.Xid); e.Int32(int32(r.Op)) }

// Decode implements [Record].
func (r *RequestHeader) Decode(d *Decoder) { r.Xid = d.Int32(); r.Op = Op(d.Int32()) }

// ReplyHeaderLen is the encoded length of a [ReplyHeader].
const ReplyHeaderLen = 16

// ReplyHeader precedes every reply but the handshake's.
type ReplyHeader struct {
	Xid  int32
	Zxid int64
	Err  Code
}

// Encode implements [Record].
func (r *ReplyHeader) Encode(e *Encoder) { e.Int32(r.Xid); e.Int64(r.Zxid); e.Int32(int32(r.Err)) }

// Decode implements [Record].
func (r *ReplyHeader) Decode(d *Decoder) {
	r.Xid = d.Int32()
	r.Zxid = d.Int64()
	r.Err = Code(d.Int32())
}

// Stat describes a node.
type Stat struct {
	Czxid          int64
	Mzxid          int64
	Ctime          int64
	Mtime          int64
	Version        int32
	Cversion       int32
	Aversion       int32
	EphemeralOwner int64
	DataLength     int32
	NumChildren    int32
	Pzxid          int64
}

// Encode implements [Record].
func (s *Stat) Encode(e *Encoder) {
	e.Int64(s.Czxid)
	e.Int64(s.Mzxid)
	e.Int64(s.Ctime)
	e.Int64(s.Mtime)
	e.Int32(s.Version)
	e.Int32(s.Cversion)
	e.Int32(s.Aversion)
	e.Int64(s.EphemeralOwner)
	e.Int32(s.DataLength)
	e.Int32(s.NumChildren)
	e.Int64(s.Pzxid)
}

// Decode implements [Record].
func (s *Stat) Decode(d *Decoder) {
	s.Czxid = d.Int64()
	s.Mzxid = d.Int64()
	s.Ctime = d.Int64()
	s.Mtime = d.Int64()
	s.Version = d.Int32()
	s.Cversion = d.Int32()
	s.Aversion = d.Int32()
	s.EphemeralOwner = d.Int64()
	s.DataLength = d.Int32()
	s.NumChildren = d.Int32()
	s.Pzxid = d.Int64()
}

// ACL is one entry of an access control list.
type ACL struct {
	Perms  int32
	Scheme string
	ID     string
}

// Encode implements [Record].
func (a *ACL) Encode(e *Encoder) { e.Int32(a.Perms); e.String(a.Scheme); e.String(a.ID) }

// Decode implements [Record].
func (a *ACL) Decode(d *Decoder) { a.Perms = d.Int32(); a.Scheme = d.String(); a.ID = d.String() }

func encodeACLs(e *Encoder, acls []ACL) {
	e.Int32(int32(len(acls)))
	for i := range acls {
		acls[i].Encode(e)
	}
}

func decodeACLs(d *Decoder) []ACL {
	n := d.Count(12)
	out := make([]ACL, n)
	for i := range out {
		out[i].Decode(d)
	}
	return out
}

// WatcherEvent is what a notification carries.
type WatcherEvent struct {
	Type  int32
	State int32
	Path  string
}

// Encode implements [Record].
func (w *WatcherEvent) Encode(e *Encoder) { e.Int32(w.Type); e.Int32(w.State); e.String(w.Path) }

// Decode implements [Record].
func (w *WatcherEvent) Decode(d *Decoder) {
	w.Type = d.Int32()
	w.State = d.Int32()
	w.Path = d.String()
}
