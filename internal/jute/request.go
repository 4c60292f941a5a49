package jute

// CreateRequest is the body of create, create2 and createContainer.
type CreateRequest struct {
	Path  string
	Data  []byte
	ACL   []ACL
	Flags int32
}

// Encode implements [Record].
func (r *CreateRequest) Encode(e *Encoder) {
	e.String(r.Path)
	e.Bytes(r.Data)
	encodeACLs(e, r.ACL)
	e.Int32(r.Flags)
}

// Decode implements [Record].
func (r *CreateRequest) Decode(d *Decoder) {
	r.Path = d.String()
	r.Data = d.Bytes()
	r.ACL = decodeACLs(d)
	r.Flags = d.Int32()
}

// CreateTTLRequest is the body of createTTL.
type CreateTTLRequest struct {
	CreateRequest
	TTLMillis int64
}

// Encode implements [Record].
func (r *CreateTTLRequest) Encode(e *Encoder) { r.CreateRequest.Encode(e); e.Int64(r.TTLMillis) }

// Decode implements [Record].
func (r *CreateTTLRequest) Decode(d *Decoder) { r.CreateRequest.Decode(d); r.TTLMillis = d.Int64() }

// PathRequest is the body of sync, getACL, getEphemerals and getAllChildrenNumber.
type PathRequest struct {
	Path string
}

// Encode implements [Record].
func (r *PathRequest) Encode(e *Encoder) { e.String(r.Path) }

// Decode implements [Record].
func (r *PathRequest) Decode(d *Decoder) { r.Path = d.String() }

// PathWatchRequest is the body of getData, exists, getChildren and getChildren2.
type PathWatchRequest struct {
	Path  string
	Watch bool
}

// Encode implements [Record].
func (r *PathWatchRequest) Encode(e *Encoder) { e.String(r.Path); e.Bool(r.Watch) }

// Decode implements [Record].
func (r *PathWatchRequest) Decode(d *Decoder) { r.Path = d.String(); r.Watch = d.Bool() }

// PathVersionRequest is the body of delete and check.
type PathVersionRequest struct {
	Path    string
	Version int32
}

// Encode implements [Record].
func (r *PathVersionRequest) Encode(e *Encoder) { e.String(r.Path); e.Int32(r.Version) }

// Decode implements [Record].
func (r *PathVersionRequest) Decode(d *Decoder) { r.Path = d.String(); r.Version = d.Int32() }

// SetDataRequest is the body of setData.
type SetDataRequest struct {
	Path    string
	Data    []byte
	Version int32
}

// Encode implements [Record].
func (r *SetDataRequest) Encode(e *Encoder) { e.String(r.Path); e.Bytes(r.Data); e.Int32(r.Version) }

// Decode implements [Record].
func (r *SetDataRequest) Decode(d *Decoder) {
	r.Path = d.String()
	r.Data = d.Bytes()
	r.Version = d.Int32()
}

// SetACLRequest is the body of setACL.
type SetACLRequest struct {
	Path    string
	ACL     []ACL
	Version int32
}

// Encode implements [Record].
func (r *SetACLRequest) Encode(e *Encoder) {
	e.String(r.Path)
	encodeACLs(e, r.ACL)
	e.Int32(r.Version)
}

// Decode implements [Record].
func (r *SetACLRequest) Decode(d *Decoder) {
	r.Path = d.String()
	r.ACL = decodeACLs(d)
	r.Version = d.Int32()
}

// PathTypeRequest is the body of removeWatches and checkWatches (a kind of watch)
// and of addWatch (a mode).
type PathTypeRequest struct {
	Path string
	Type int32
}

// Encode implements [Record].
func (r *PathTypeRequest) Encode(e *Encoder) { e.String(r.Path); e.Int32(r.Type) }

// Decode implements [Record].
func (r *PathTypeRequest) Decode(d *Decoder) { r.Path = d.String(); r.Type = d.Int32() }

// SetWatchesRequest is the body of setWatches: the one-shot watches of a client
// that has connected again. A watch whose node has changed after RelativeZxid fires
// at once, the others are set.
type SetWatchesRequest struct {
	RelativeZxid int64
	Data         []string
	Exist        []string
	Child        []string
}

// Encode implements [Record].
func (r *SetWatchesRequest) Encode(e *Encoder) {
	e.Int64(r.RelativeZxid)
	e.Strings(r.Data)
	e.Strings(r.Exist)
	e.Strings(r.Child)
}

// Decode implements [Record].
func (r *SetWatchesRequest) Decode(d *Decoder) {
	r.RelativeZxid = d.Int64()
	r.Data = d.Strings()
	r.Exist = d.Strings()
	r.Child = d.Strings()
}

// AuthRequest is the body of auth.
type AuthRequest struct {
	Type   int32
	Scheme string
	Auth   []byte
}

// Encode implements [Record].
func (r *AuthRequest) Encode(e *Encoder) { e.Int32(r.Type); e.String(r.Scheme); e.Bytes(r.Auth) }

// Decode implements [Record].
func (r *AuthRequest) Decode(d *Decoder) {
	r.Type = d.Int32()
	r.Scheme = d.String()
	r.Auth = d.Bytes()
}

// SASLRequest is the body of sasl: one message of the client's mechanism. The token
// may be empty and must not be nil, which servers do not expect.
type SASLRequest struct {
	Token []byte
}

// Encode implements [Record].
func (r *SASLRequest) Encode(e *Encoder) { e.Bytes(r.Token) }

// Decode implements [Record].
func (r *SASLRequest) Decode(d *Decoder) { r.Token = d.Bytes() }

// SetWatches2Request is the body of setWatches2: setWatches with the persistent
// watches, which it sets again and never fires.
type SetWatches2Request struct {
	SetWatchesRequest
	Persistent []string
	Recursive  []string
}

// Encode implements [Record].
func (r *SetWatches2Request) Encode(e *Encoder) {
	r.SetWatchesRequest.Encode(e)
	e.Strings(r.Persistent)
	e.Strings(r.Recursive)
}

// Decode implements [Record].
func (r *SetWatches2Request) Decode(d *Decoder) {
	r.SetWatchesRequest.Decode(d)
	r.Persistent = d.Strings()
	r.Recursive = d.Strings()
}

// ReconfigRequest is the body of reconfig. Joining and Leaving are lists separated by
// commas, for a change; NewMembers is a whole configuration; what is not meant is "".
type ReconfigRequest struct {
	Joining    string
	Leaving    string
	NewMembers string
	// Config is the version that the present configuration must have; -1 is any.
	Config int64
}

// Encode implements [Record].
func (r *ReconfigRequest) Encode(e *Encoder) {
	e.optional(r.Joining)
	e.optional(r.Leaving)
	e.optional(r.NewMembers)
	e.Int64(r.Config)
}

// Decode implements [Record].
func (r *ReconfigRequest) Decode(d *Decoder) {
	r.Joining = d.String()
	r.Leaving = d.String()
	r.NewMembers = d.String()
	r.Config = d.Int64()
}
