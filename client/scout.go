package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

var (
	errWritable = errors.New("left for a server that is not read-only")
	errMadeHere = errors.New("a server in read-only mode had made it, and no other server knows it")
)

// firstLook is how long after the first look the next one follows; then twice that,
// up to maxPause.
const firstLook = 100 * time.Millisecond

// scout looks for a read-write server while a session is served by a read-only one,
// and leaves that when it has found one. Its goroutine lives as long as such a connection.
type scout struct {
	s  *Session
	wg sync.WaitGroup

	mu     sync.Mutex
	cancel context.CancelFunc // nil while there is nothing to look for
}

func newScout(s *Session) *scout { return &scout{s: s} }

// start is called when a read-only server has taken the session.
func (sc *scout) start(server string) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	ctx, cancel := context.WithCancel(sc.s.ctx)
	sc.cancel = cancel
	sc.wg.Go(func() {
		defer cancel()
		sc.run(ctx, server)
	})
}

// stop is called when that connection is gone.
func (sc *scout) stop() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.cancel != nil {
		sc.cancel()
		sc.cancel = nil
	}
}

// wait returns when the goroutine has ended; it is called when the session is over.
func (sc *scout) wait() { sc.wg.Wait() }

func (sc *scout) run(ctx context.Context, server string) {
	d := sc.s.c.dialer
	pause := newBackoff(firstLook, maxPause)
	for {
		found, ok := d.writable(ctx, server)
		if ctx.Err() != nil {
			return
		}
		if ok {
			d.prefer(found)
			if sc.s.madeReadOnly() { // the other server would only say that it has expired
				sc.s.finish(fmt.Errorf("%w: %w", errWritable, errMadeHere))
			} else {
				sc.s.link.Drop(errWritable)
			}
			return
		}
		if sleep(ctx, pause.NextBackOff()) != nil {
			return
		}
	}
}

// writable asks the servers one after the other, but not the one at without, and
// returns the first that is not in read-only mode.
func (d *dialer) writable(ctx context.Context, without string) (target, bool) {
	all, err := d.addresses(ctx)
	if err != nil {
		return target{}, false
	}
	for _, t := range all {
		if t.addr == without {
			continue
		}
		if d.isWritable(ctx, t) {
			return t, true
		}
		if ctx.Err() != nil {
			break
		}
	}
	return target{}, false
}

// isWritable asks one server by the word isro, over the same kind of connection as a
// session's. (Package admin would bring all of net/http into every program.)
func (d *dialer) isWritable(ctx context.Context, t target) bool {
	ctx, cancel := context.WithTimeout(ctx, d.attempt())
	defer cancel()
	conn, err := d.open(ctx, t)
	if err != nil {
		return false
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	if _, err := io.WriteString(conn, "isro"); err != nil {
		return false
	}
	answer, _ := io.ReadAll(io.LimitReader(conn, 64)) // a TLS connection may end with an error: what counts is what came
	return strings.TrimSpace(string(answer)) == "rw"
}

// prefer makes a server the next to be dialled, at once.
func (d *dialer) prefer(t target) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.round, d.due = []target{t}, false
	d.size, d.refused = 2, 0 // no whole round
}
