package jute

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func typeName(r Record) string { return fmt.Sprintf("%T", r) }

// Every record, cut short at every byte, is malformed; none panics.
func TestTruncated(t *testing.T) {
	for _, r := range samples {
		buf := encode(r)
		for n := range buf {
			// The last byte of a handshake is optional.
			switch r.(type) {
			case *ConnectRequest, *ConnectResponse:
				if n == len(buf)-1 && buf[n] <= 1 {
					continue
				}
			}
			d := NewDecoder(buf[:n])
			fresh(t, r).Decode(d)
			require.ErrorIs(t, d.Err(), ErrMalformed, "%s cut to %d of %d bytes", typeName(r), n, len(buf))
			require.Zero(t, d.Rest(), "nothing may be read after an error")
		}
	}
}

func TestOptionalReadOnlyByte(t *testing.T) {
	for _, r := range []Record{&ConnectRequest{}, &ConnectResponse{}} {
		buf := encode(r)
		d := NewDecoder(buf[:len(buf)-1])
		r.Decode(d)
		require.NoError(t, d.Err())
	}
	var req ConnectRequest
	req.Decode(NewDecoder(encode(&ConnectRequest{OldClient: true, ReadOnly: true})))
	require.True(t, req.OldClient)
	require.False(t, req.ReadOnly)
}

// lengths that no frame of some bytes can keep.
var impossible = []int32{-2, math.MinInt32, 1000, 1 << 28, math.MaxInt32}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestImpossibleLengths(t *testing.T) {
	for _, n := range impossible {
		var e Encoder
		e.Int32(n)
		e.B = append(e.B, make([]byte, 100)...)
		for name, read := range map[string]func(d *Decoder){
			"Bytes":       func(d *Decoder) { _ = d.Bytes() },
			"String":      func(d *Decoder) { _ = d.String() },
			"Strings":     func(d *Decoder) { _ = d.Strings() },
			"ACLs":        func(d *Decoder) { _ = decodeACLs(d) },
			"PathRequest": func(d *Decoder) { (&PathRequest{}).Decode(d) },
			"Children":    func(d *Decoder) { (&Children2Reply{}).Decode(d) },
			"ACLReply":    func(d *Decoder) { (&ACLReply{}).Decode(d) },
		} {
			d := NewDecoder(e.B)
			used := allocated(func() { read(d) })
			require.ErrorIs(t, d.Err(), ErrMalformed, "%s of length %d", name, n)
			require.Less(t, used, uint64(64<<10), "%s of length %d: bytes allocated", name, n)
		}
	}
}

func TestNullIsEmpty(t *testing.T) {
	var e Encoder
	e.Int32(-1)
	require.Nil(t, NewDecoder(e.B).Bytes())
	require.Empty(t, NewDecoder(e.B).String())
	d := NewDecoder(e.B)
	require.Empty(t, d.Strings())
	require.NoError(t, d.Err())
}

// The first error sticks, and what is read after it is zero.
func TestErrorSticks(t *testing.T) {
	d := NewDecoder([]byte{0, 0, 0, 9, 1, 2, 3})
	require.Nil(t, d.Bytes())
	first := d.Err()
	require.ErrorIs(t, first, ErrMalformed)
	require.Zero(t, d.Int32())
	require.Zero(t, d.Int64())
	require.False(t, d.Bool())
	require.Empty(t, d.String())
	require.Nil(t, d.Strings())
	require.Zero(t, d.Count(1))
	require.Equal(t, first, d.Err())
}

func TestUnknownOperationInMulti(t *testing.T) {
	for _, r := range []Record{&MultiRequest{}, &MultiReply{}} {
		var e Encoder
		encodeMultiHeader(&e, OpSync, false, -1)
		e.String("/a")
		encodeMultiHeader(&e, OpError, true, -1)
		d := NewDecoder(e.B)
		r.Decode(d)
		require.ErrorIs(t, d.Err(), ErrMalformed)
		require.ErrorContains(t, d.Err(), "sync")
	}
}

// A multi without an end is malformed, not endless.
func TestMultiWithoutEnd(t *testing.T) {
	var e Encoder
	encodeMultiHeader(&e, OpDelete, false, -1)
	(&PathVersionRequest{Path: "/a"}).Encode(&e)
	d := NewDecoder(e.B)
	(&MultiRequest{}).Decode(d)
	require.ErrorIs(t, d.Err(), ErrMalformed)
}

// A decoded buffer cannot be grown into what follows it in the frame.
func TestBytesAreCapped(t *testing.T) {
	buf := encode(&SetDataRequest{Path: "/a", Data: []byte("x"), Version: 5})
	var r SetDataRequest
	r.Decode(NewDecoder(buf))
	_ = append(r.Data, 0xff, 0xff, 0xff, 0xff)
	var again SetDataRequest
	again.Decode(NewDecoder(buf))
	require.EqualValues(t, 5, again.Version)
}
