package wire

import (
	"sync/atomic"
	"time"
)

// Counters count what goes over all links that are given them. They are safe for
// concurrent use and never go back.
type Counters struct {
	// Requests is the number of calls that may have reached a socket; pings are none.
	Requests atomic.Uint64
	// Replies is the number of calls that were answered.
	Replies atomic.Uint64
	// Events is the number of watch events that came.
	Events atomic.Uint64
	// BytesSent and BytesReceived count frames that may have reached a socket and that
	// came, pings among them, but neither handshakes nor what TLS adds.
	BytesSent, BytesReceived atomic.Uint64

	last, smoothed atomic.Int64
}

// RoundTrip returns how long the newest answered frame took, and a mean over the last
// dozen or so that follows it as TCP's does; 0 before the first answer.
func (c *Counters) RoundTrip() (last, smoothed time.Duration) {
	return time.Duration(c.last.Load()), time.Duration(c.smoothed.Load())
}

// took notes a round trip. A connection has one reader, so only two sessions that
// overlap can meet here, and lose one sample.
func (c *Counters) took(d time.Duration) {
	c.last.Store(int64(d))
	mean := c.smoothed.Load()
	if mean == 0 {
		mean = int64(d)
	}
	c.smoothed.Store(mean + (int64(d)-mean)/8)
}
