// Package count has a proxy that counts what passes between a client and a server, and changes nothing: requests, round trips and
// bytes. It knows ZooKeeper's frames; of any other protocol it counts flights and bytes only.
package count

import (
	"encoding/binary"
	"sync/atomic"
)

// Counts are what has passed.
type Counts struct {
	// Requests are ZooKeeper's requests, a transaction being one, without handshakes, credentials, pings and goodbyes.
	Requests int64 `json:"requests"`
	// Flights are how often a connection has sent something after it had received something: of one client that waits for each
	// answer they are the round trips.
	Flights int64 `json:"flights"`
	// Sent and Received are bytes, as the client sees them.
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
}

// Minus is what has passed since an earlier count.
func (c Counts) Minus(before Counts) Counts {
	return Counts{
		Requests: c.Requests - before.Requests, Flights: c.Flights - before.Flights,
		Sent: c.Sent - before.Sent, Received: c.Received - before.Received,
	}
}

// Plus is the sum of two.
func (c Counts) Plus(o Counts) Counts {
	return Counts{Requests: c.Requests + o.Requests, Flights: c.Flights + o.Flights, Sent: c.Sent + o.Sent, Received: c.Received + o.Received}
}

// meter is Counts that grow.
type meter struct{ requests, flights, sent, received atomic.Int64 }

func (m *meter) counts() Counts {
	return Counts{Requests: m.requests.Load(), Flights: m.flights.Load(), Sent: m.sent.Load(), Received: m.received.Load()}
}

// Operations that are no requests of a program.
const (
	opPing  = 11
	opAuth  = 100
	opClose = -11
)

// headLen is as much of a frame as frames looks at: the length, the xid and the operation.
const headLen = 12

// frames counts the requests in what a client sends, however it is cut into pieces.
type frames struct {
	head  [headLen]byte
	have  int // bytes of the head
	rest  int // bytes of the frame's body that are still to come
	first bool
	lost  bool // it is no ZooKeeper
}

// maxFrame is longer than any frame that a server takes.
const maxFrame = 64 << 20

// feed returns how many requests have begun in a piece.
func (f *frames) feed(piece []byte) (requests int64) {
	for len(piece) > 0 && !f.lost {
		if f.rest > 0 {
			n := min(f.rest, len(piece))
			f.rest -= n
			piece = piece[n:]
			continue
		}
		n := copy(f.head[f.have:], piece)
		f.have += n
		piece = piece[n:]
		if f.have < headLen {
			return requests
		}
		f.have = 0
		size := int(int32(binary.BigEndian.Uint32(f.head[:4]))) //nolint:gosec // a length of the protocol
		if size < headLen-4 || size > maxFrame {
			f.lost = true
			return requests
		}
		f.rest = size - (headLen - 4)
		if !f.first { // the handshake has no operation
			f.first = true
			continue
		}
		switch int32(binary.BigEndian.Uint32(f.head[8:])) { //nolint:gosec // an operation of the protocol
		case opPing, opAuth, opClose:
		default:
			requests++
		}
	}
	return requests
}
