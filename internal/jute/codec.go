package jute

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is the root of every decoding error: the frame is shorter than
// its records say, or a length in it is impossible.
var ErrMalformed = errors.New("malformed record")

// Record is anything that can be written to and read from a frame.
type Record interface {
	Encode(e *Encoder)
	Decode(d *Decoder)
}

// Encoder appends records to a byte slice. The zero value is ready to use.
type Encoder struct {
	B []byte
}

// Bool appends a boolean as one byte.
func (e *Encoder) Bool(v bool) {
	if v {
		e.B = append(e.B, 1)
		return
	}
	e.B = append(e.B, 0)
}

// Int32 appends a big-endian 32-bit integer.
func (e *Encoder) Int32(v int32) { e.B = binary.BigEndian.AppendUint32(e.B, uint32(v)) }

// Int64 appends a big-endian 64-bit integer.
func (e *Encoder) Int64(v int64) { e.B = binary.BigEndian.AppendUint64(e.B, uint64(v)) }

// Bytes appends a buffer; nil is written with length -1, as Java's null.
func (e *Encoder) Bytes(v []byte) {
	if v == nil {
		e.Int32(-1)
		return
	}
	e.Int32(int32(len(v)))
	e.B = append(e.B, v...)
}

// String appends a string.
func (e *Encoder) String(v string) {
	e.Int32(int32(len(v)))
	e.B = append(e.B, v...)
}

// optional appends a string, or Java's null for an empty one.
func (e *Encoder) optional(v string) {
	if v == "" {
		e.Int32(-1)
		return
	}
	e.String(v)
}

// Strings appends a vector of strings.
func (e *Encoder) Strings(v []string) {
	e.Int32(int32(len(v)))
	for _, s := range v {
		e.String(s)
	}
}

// Decoder reads records from one frame. The first error sticks: everything read
// after it is zero, so that callers check [Decoder.Err] once at the end.
type Decoder struct {
	b   []byte
	err error
}

// NewDecoder reads from frame, which must not change while the decoded records are in use.
func NewDecoder(frame []byte) *Decoder { return &Decoder{b: frame} }

// DecoderOf is NewDecoder as a value, to be kept in something larger.
func DecoderOf(frame []byte) Decoder { return Decoder{b: frame} }

// Err returns the first error met, or nil.
func (d *Decoder) Err() error { return d.err }

// Rest returns the number of bytes not read yet.
func (d *Decoder) Rest() int { return len(d.b) }

func (d *Decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
	}
	d.b = nil
}

func (d *Decoder) take(n int, what string) []byte {
	if d.err != nil {
		return nil
	}
	if len(d.b) < n {
		d.fail("%s needs %d bytes, %d are left", what, n, len(d.b))
		return nil
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

// Bool reads one byte; any value but 0 is true.
func (d *Decoder) Bool() bool {
	p := d.take(1, "bool")
	return p != nil && p[0] != 0
}

// Int32 reads a big-endian 32-bit integer.
func (d *Decoder) Int32() int32 {
	if p := d.take(4, "int"); p != nil {
		return int32(binary.BigEndian.Uint32(p))
	}
	return 0
}

// Int64 reads a big-endian 64-bit integer.
func (d *Decoder) Int64() int64 {
	if p := d.take(8, "long"); p != nil {
		return int64(binary.BigEndian.Uint64(p))
	}
	return 0
}

// Bytes reads a buffer; length -1 is nil. The result points into the frame.
func (d *Decoder) Bytes() []byte {
	n := d.Int32()
	switch {
	case d.err != nil || n == -1:
		return nil
	case n < 0:
		d.fail("buffer of length %d", n)
		return nil
	}
	return d.take(int(n), "buffer")
}

// String reads a string; a null one is "".
func (d *Decoder) String() string { return string(d.Bytes()) }

// Count reads the length of a vector whose elements take at least elem bytes
// each. A null vector counts 0.
func (d *Decoder) Count(elem int) int {
	n := d.Int32()
	switch {
	case d.err != nil || n == -1:
		return 0
	case n < 0:
		d.fail("vector of length %d", n)
		return 0
	case int64(n)*int64(elem) > int64(len(d.b)):
		d.fail("vector of %d elements in %d bytes", n, len(d.b))
		return 0
	}
	return int(n)
}

// Strings reads a vector of strings.
func (d *Decoder) Strings() []string {
	n := d.Count(4)
	out := make([]string, 0, n)
	for range n {
		out = append(out, d.String())
	}
	if d.err != nil {
		return nil
	}
	return out
}
