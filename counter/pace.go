package counter

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	tripLeast = 200 * time.Microsecond
	paceMost  = 2 * time.Second
)

// pace keeps changers of one node out of each other's way. A change can only be made if nobody else makes
// one between its read and its write, and each that fails has cost two requests. So who has failed waits
// before the next try, by chance up to a window that grows with each failure and shrinks with each
// success. Both factors together let about two of three tries succeed, however many there are: with
// probability p of success the window is in balance when p·ln(1/shrink) = (1-p)·ln(grow).
//
// Who has just succeeded knows the node's state, and could write again without a read; but if it did so at
// once, again and again, nobody who has to read first would ever find the node unchanged, and it would
// never learn of them. So that is for who leaves a gap, and for who is alone: transactions that
// follow each other without a number between them show that nobody has even tried, since
// a transaction that fails has a number too.
type pace struct {
	window time.Duration
	trip   time.Duration // how long a round trip takes
	zxid   int64         // of the latest change
	at     time.Time     // when that was answered
	alone  bool          // there is no sign of others
	others time.Time     // when there last was one: a transaction between two changes
	rivals time.Time     // when somebody else was last seen to have changed the node
	losing time.Time     // the first failure since the latest change
}

const (
	grow   = 5
	shrink = 0.5

	impatience = 500 * time.Millisecond
	urgency    = 4 // times as often, and one, at most
)

// gap is how many round trips apart changes leave others room: three of four tries fit in between.
const gap = 4

// hurried tells whether to write without a read would be unfair to others.
func (p *pace) hurried() bool {
	return p.window > 0 || !p.alone && time.Since(p.at) < gap*max(p.trip, tripLeast)
}

func (p *pace) took(d time.Duration) {
	if p.trip == 0 {
		p.trip = d
	}
	p.trip += (d - p.trip) / 8
}

// met says as what the node was read.
func (p *pace) met(mzxid int64) {
	if p.zxid != 0 && mzxid != p.zxid {
		p.rivals = time.Now()
	}
}

func (p *pace) lost() {
	p.rivals = time.Now()
	if p.losing.IsZero() {
		p.losing = time.Now()
	}
	p.window = min(paceMost, max(p.window, max(p.trip, tripLeast))*grow)
}

// won says that a change was made, by the transaction of that number.
func (p *pace) won(zxid int64) {
	now := time.Now()
	if p.zxid != 0 && zxid != p.zxid+1 {
		p.others = now
	}
	// Who has failed may wait for long before it tries again.
	p.alone = zxid == p.zxid+1 && now.Sub(p.others) > 2*paceMost
	p.zxid, p.at, p.losing = zxid, now, time.Time{}
	p.window = time.Duration(float64(p.window) * shrink)
	if least := gap * max(p.trip, tripLeast); p.window < least {
		p.window = 0
		if now.Sub(p.rivals) < 2*paceMost {
			p.window = least
		}
	}
}

// wait waits its turn, or returns the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	if p.window == 0 {
		return ended(ctx)
	}
	window := p.window
	if !p.losing.IsZero() { // who has lost for long tries sooner
		window /= 1 + min(urgency, time.Since(p.losing)/impatience)
	}
	timer := time.NewTimer(rand.N(max(window, 1)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
