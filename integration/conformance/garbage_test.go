package conformance

import (
	"encoding/binary"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

func init() { conversations["garbage"] = garbage }

// garbage is the conversation of a client that sends what none should: what is answered, with
// which code and at the price of which transactions, and what ends the connection. What zktest's
// documentation excepts is not in it.
func garbage(k *talk) {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	for _, first := range []string{
		"\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\x00\x00\x00\x00", "\x00\x00\x00\x05hello",
		"\x00\x00\x00\x1c" + zeros(24) + "\x7f\xff\xff\xff",
		"\x00\x00\x00\x0e" + "\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x01/\x00",
	} {
		k.greetWith(first)
	}
	k.create("a", "/a")
	for _, g := range []struct {
		op   jute.Op
		body string
	}{
		{77, ""},
		{-100, ""},
		{0, zeros(36)}, // as a second handshake looks
		{jute.OpGetData, ""},
		{jute.OpGetData, "\x00\x00\x00\x09/a\x00"},
		{jute.OpGetData, "\xff\xff\xff\xfb/a\x00"},
		{jute.OpGetData, "\x7f\xff\xff\xff/a\x00"},
		{jute.OpGetData, "\x00\x00\x00\x02/\xff\x00"},
		{jute.OpGetData, "\x00\x00\x00\x02/a\x00 and more"},
		{jute.OpSetData, "\x00\x00\x00\x02/a\x00\x00\x00\xffdata"},
		{jute.OpSetACL, "\x00\x00\x00\x02/a\x7f\x00\x00\x00" + zeros(4)},
		{jute.OpSetWatches, zeros(8) + "\x7f\xff\xff\xff"},
		{jute.OpSetWatches, zeros(8) + "\x00\x00\x00\x01"},
		{jute.OpMulti, "\x00\x00\x00\x02\x00\xff\xff\xff\xff\x00\x00\x00\x02/b\xff\xff\xff\xff"},
		{jute.OpMulti, "\x00\x00\x00\x64\x00\xff\xff\xff\xff"},
		{jute.OpMulti, "\x00\x00\x00\x0e\x00\xff\xff\xff\xff"},
		{jute.OpMulti, ""},
		{jute.OpAuth, "\x00\x00\x00\x00\x00\x00\x00\x04what\x00\x00\x00\x01x"},
	} {
		k.rubbish("a", g.op, g.body)
		k.set("b", "/a") // which tells by its number what the other has cost
	}
	v := k.speaks("a")
	_, _ = v.nc.Write([]byte("\x00\x00\x00\x02\x01\x02")) // half a header
	k.listen("a", v, 0, 0)
	k.delete("b", "/a")
}

// greetWith begins a connection with these bytes, and writes down whether anything is answered.
func (k *talk) greetWith(first string) {
	k.t.Helper()
	v := k.dial()
	defer v.nc.Close()
	_, _ = v.nc.Write([]byte(first))
	buf, err := v.read()
	k.note("%q: %d bytes, %v", first, len(buf), err == nil)
}

// rubbish sends a request whose body is what it is, and writes down the reply.
func (k *talk) rubbish(who string, op jute.Op, body string) {
	k.t.Helper()
	v := k.speaks(who)
	v.xid++
	frame := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(v.xid))
	frame = binary.BigEndian.AppendUint32(frame, uint32(op))
	_, _ = v.nc.Write(append(frame, body...))
	k.note("%s> %v %q", who, op, body)
	k.listen(who, v, v.xid, op)
}
