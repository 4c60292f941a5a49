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
type pace struct {
	window time.Duration
	trip   time.Duration // how long a round trip takes
}

const (
	grow   = 5
	shrink = 0.5
)

// busy tells whether others are changing the node.
func (p *pace) busy() bool { return p.window > 0 }

func (p *pace) took(d time.Duration) {
	if p.trip == 0 {
		p.trip = d
	}
	p.trip += (d - p.trip) / 8
}

func (p *pace) lost() {
	p.window = min(paceMost, max(p.window, max(p.trip, tripLeast))*grow)
}

func (p *pace) won() {
	if p.window = time.Duration(float64(p.window) * shrink); p.window < max(p.trip, tripLeast) {
		p.window = 0
	}
}

// wait waits its turn, or returns the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	if p.window == 0 {
		return ended(ctx)
	}
	timer := time.NewTimer(rand.N(p.window))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
