package jute

// MultiOp is one operation of a multi or multiRead request. Body is a
// *[CreateRequest], *[CreateTTLRequest], *[PathVersionRequest], *[SetDataRequest]
// or *[PathWatchRequest], as Op says.
type MultiOp struct {
	Op   Op
	Body Record
}

// MultiRequest is the body of multi and of multiRead.
type MultiRequest struct {
	Ops []MultiOp
}

func encodeMultiHeader(e *Encoder, op Op, done bool, code int32) {
	e.Int32(int32(op))
	e.Bool(done)
	e.Int32(code)
}

// Encode implements [Record].
func (r *MultiRequest) Encode(e *Encoder) {
	for _, op := range r.Ops {
		encodeMultiHeader(e, op.Op, false, -1)
		op.Body.Encode(e)
	}
	encodeMultiHeader(e, OpError, true, -1)
}

// Decode implements [Record].
func (r *MultiRequest) Decode(d *Decoder) {
	r.Ops = nil
	for d.Err() == nil {
		op := Op(d.Int32())
		done := d.Bool()
		d.Int32()
		if done || d.Err() != nil {
			return
		}
		var body Record
		switch op {
		case OpCreate, OpCreate2, OpCreateContainer:
			body = &CreateRequest{}
		case OpCreateTTL:
			body = &CreateTTLRequest{}
		case OpDelete, OpCheck:
			body = &PathVersionRequest{}
		case OpSetData:
			body = &SetDataRequest{}
		case OpGetData, OpGetChildren:
			body = &PathWatchRequest{}
		default:
			d.fail("%v in a multi", op)
			return
		}
		body.Decode(d)
		r.Ops = append(r.Ops, MultiOp{Op: op, Body: body})
	}
}

// MultiResult is the outcome of one operation of a multi. When a multi fails the
// operation at fault carries its own code, those before it carry OK and those
// after it RuntimeInconsistency; none of them has been executed. The operations of
// a multiRead fail one by one.
type MultiResult struct {
	Op       Op
	Err      Code
	Path     string
	Stat     Stat
	Data     []byte   // of getData
	Children []string // of getChildren
}

// MultiReply is the body of the replies to multi and multiRead.
type MultiReply struct {
	Results []MultiResult
}

// Encode implements [Record].
func (r *MultiReply) Encode(e *Encoder) {
	for i := range r.Results {
		res := &r.Results[i]
		encodeMultiHeader(e, res.Op, false, int32(res.Err))
		switch res.Op {
		case OpCreate:
			e.String(res.Path)
		case OpCreate2, OpCreateContainer, OpCreateTTL:
			e.String(res.Path)
			res.Stat.Encode(e)
		case OpSetData:
			res.Stat.Encode(e)
		case OpGetData:
			e.Bytes(res.Data)
			res.Stat.Encode(e)
		case OpGetChildren:
			e.Strings(res.Children)
		case OpError:
			e.Int32(int32(res.Err))
		}
	}
	encodeMultiHeader(e, OpError, true, -1)
}

// Decode implements [Record].
func (r *MultiReply) Decode(d *Decoder) {
	r.Results = nil
	for d.Err() == nil {
		res := MultiResult{Op: Op(d.Int32())}
		done := d.Bool()
		res.Err = Code(d.Int32())
		if done || d.Err() != nil {
			return
		}
		switch res.Op {
		case OpCreate:
			res.Path = d.String()
		case OpCreate2, OpCreateContainer, OpCreateTTL:
			res.Path = d.String()
			res.Stat.Decode(d)
		case OpSetData:
			res.Stat.Decode(d)
		case OpGetData:
			res.Data = d.Bytes()
			res.Stat.Decode(d)
		case OpGetChildren:
			res.Children = d.Strings()
		case OpDelete, OpCheck:
		case OpError:
			res.Err = Code(d.Int32())
		default:
			d.fail("%v in a multi reply", res.Op)
			return
		}
		r.Results = append(r.Results, res)
	}
}
