package queue

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"
)

const (
	paceFirst = 10 * time.Millisecond
	paceMost  = time.Second
)

// pace keeps a loop that begins again from becoming a storm: the first wait is none, the
// later ones double up to a second, with jitter so that many clients hit by one event do not
// come back together.
type pace struct {
	n    int
	most time.Duration // other than a second
}

// wait waits its turn, or returns the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	p.n++
	if p.n == 1 {
		return ended(ctx)
	}
	limit := min(cmp.Or(p.most, paceMost), paceFirst<<min(p.n-2, 10))
	timer := time.NewTimer(limit/2 + rand.N(limit/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
