package jute

// PathReply is the body of the replies to create, sync.
type PathReply struct {
	Path string
}

// Encode implements [Record].
func (r *PathReply) Encode(e *Encoder) { e.String(r.Path) }

// Decode implements [Record].
func (r *PathReply) Decode(d *Decoder) { r.Path = d.String() }

// Create2Reply is the body of the replies to create2, createContainer and createTTL.
type Create2Reply struct {
	Path string
	Stat Stat
}

// Encode implements [Record].
func (r *Create2Reply) Encode(e *Encoder) { e.String(r.Path); r.Stat.Encode(e) }

// Decode implements [Record].
func (r *Create2Reply) Decode(d *Decoder) { r.Path = d.String(); r.Stat.Decode(d) }

// DataReply is the body of the reply to getData.
type DataReply struct {
	Data []byte
	Stat Stat
}

// Encode implements [Record].
func (r *DataReply) Encode(e *Encoder) { e.Bytes(r.Data); r.Stat.Encode(e) }

// Decode implements [Record].
func (r *DataReply) Decode(d *Decoder) { r.Data = d.Bytes(); r.Stat.Decode(d) }

// ChildrenReply is the body of the replies to getChildren and getEphemerals.
type ChildrenReply struct {
	Children []string
}

// Encode implements [Record].
func (r *ChildrenReply) Encode(e *Encoder) { e.Strings(r.Children) }

// Decode implements [Record].
func (r *ChildrenReply) Decode(d *Decoder) { r.Children = d.Strings() }

// Children2Reply is the body of the reply to getChildren2.
type Children2Reply struct {
	Children []string
	Stat     Stat
}

// Encode implements [Record].
func (r *Children2Reply) Encode(e *Encoder) { e.Strings(r.Children); r.Stat.Encode(e) }

// Decode implements [Record].
func (r *Children2Reply) Decode(d *Decoder) { r.Children = d.Strings(); r.Stat.Decode(d) }

// ACLReply is the body of the reply to getACL.
type ACLReply struct {
	ACL  []ACL
	Stat Stat
}

// Encode implements [Record].
func (r *ACLReply) Encode(e *Encoder) { encodeACLs(e, r.ACL); r.Stat.Encode(e) }

// Decode implements [Record].
func (r *ACLReply) Decode(d *Decoder) { r.ACL = decodeACLs(d); r.Stat.Decode(d) }

// SASLReply is the body of the reply to sasl: one message of the server's mechanism,
// nil if it has none.
type SASLReply struct {
	Token []byte
}

// Encode implements [Record].
func (r *SASLReply) Encode(e *Encoder) { e.Bytes(r.Token) }

// Decode implements [Record].
func (r *SASLReply) Decode(d *Decoder) { r.Token = d.Bytes() }

// CountReply is the body of the reply to getAllChildrenNumber.
type CountReply struct {
	Count int32
}

// Encode implements [Record].
func (r *CountReply) Encode(e *Encoder) { e.Int32(r.Count) }

// Decode implements [Record].
func (r *CountReply) Decode(d *Decoder) { r.Count = d.Int32() }

// ClientInfo is one identity of a client as the server knows it.
type ClientInfo struct {
	Scheme string
	User   string
}

// WhoAmIReply is the body of the reply to whoAmI.
type WhoAmIReply struct {
	Identities []ClientInfo
}

// Encode implements [Record].
func (r *WhoAmIReply) Encode(e *Encoder) {
	e.Int32(int32(len(r.Identities)))
	for _, c := range r.Identities {
		e.String(c.Scheme)
		e.String(c.User)
	}
}

// Decode implements [Record].
func (r *WhoAmIReply) Decode(d *Decoder) {
	n := d.Count(8)
	r.Identities = make([]ClientInfo, n)
	for i := range r.Identities {
		r.Identities[i] = ClientInfo{Scheme: d.String(), User: d.String()}
	}
}
