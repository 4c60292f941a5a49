package wire

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ensemble is a model of what ZooKeeper does with one session whose client is
// connected to a follower, in milliseconds:
//
//   - the follower answers pings and reads by itself and notes that the session
//     was touched;
//   - at each of the leader's pings, half a tick apart, it reports the touches, and the
//     leader lets the session live for its timeout from then;
//   - writes go to the leader at once, which commits them while the session lives there.
//
// At cut the link between follower and leader goes; the follower does not notice.
// The leader's rounding up to whole ticks, which only prolongs the session, is left out.
type ensemble struct {
	timeout, half int64
	cut           int64
	reported      int64 // when the leader's last ping was
	expiry        int64 // the leader's
	touched       bool  // since the last report
}

// advance reports at all of the leader's pings up to now; it is false once the
// leader has expired the session.
func (e *ensemble) advance(now int64) bool {
	for next := e.reported + e.half; next <= min(now, e.cut); next += e.half {
		if next >= e.expiry {
			return false
		}
		if e.touched {
			e.expiry, e.touched = next+e.timeout, false
		}
		e.reported = next
	}
	return now < e.expiry
}

// Against a model of the ensemble, over networks that delay and servers that are
// cut off: the session lives at the leader at least as long as the bound says.
func TestProofAgainstModel(t *testing.T) {
	at := func(n int64) time.Time { return dawn.Add(time.Duration(n) * ms) }
	tight := 0
	for seed := range uint64(5_000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		half := int64(500 + rnd.IntN(1000))
		e := &ensemble{timeout: 4 * half, half: half, cut: 2000 + rnd.Int64N(20_000)}
		var p proof

		// The handshake: the follower asks the leader, who touches the session.
		arrived := rnd.Int64N(50)
		e.expiry = arrived + e.timeout
		e.reported = arrived - rnd.Int64N(half) // the leader's ping before
		p.connected(dawn, time.Duration(e.timeout)*ms, time.Duration(half)*ms, rnd.IntN(2) == 0)

		sent, answered := arrived+1, int64(0)
		gap := 1 + rnd.Int64N(half)
		for {
			sent += 1 + rnd.Int64N(gap)
			delay := 1 + rnd.Int64N(5)
			if rnd.IntN(20) == 0 { // something is lost and sent again
				delay = rnd.Int64N(e.timeout)
			}
			arrived = max(arrived, sent+delay)
			writes := rnd.IntN(3) == 0
			// An expired session's connection is closed; a write over the cut is never answered.
			if !e.advance(arrived) || writes && arrived >= e.cut || sent > e.cut+e.timeout {
				break
			}
			e.touched = true
			answered = max(answered, arrived+1+rnd.Int64N(5))
			p.answered(at(sent), at(answered), writes)
		}
		e.advance(e.cut)
		until := p.confirmedUntil()
		if until.IsZero() {
			continue
		}
		ahead := at(e.expiry).Sub(until)
		require.GreaterOrEqual(t, ahead, time.Duration(0), "seed %d: the session ends %v before the bound", seed, -ahead)
		if ahead < time.Duration(half)*ms {
			tight++
		}
	}
	require.Greater(t, tight, 500, "the model never comes near the bound: it shows nothing")
}
