package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// dialer opens connections to the servers, one after the other in random order.
// Names are resolved at each dial, since addresses change under running programs.
// Between rounds, and after connections that did not last, it pauses: a server that
// accepts and then closes must not be asked a thousand times a second.
type dialer struct {
	servers []server
	set     *settings
	resolve func(ctx context.Context, host string) ([]string, error)

	mu      sync.Mutex
	round   []target
	pause   *backoff.ExponentialBackOff
	due     bool // the next dial comes after a pause
	current server
	failed  map[server]error
}

// target is one address of one server.
type target struct {
	server server
	addr   string
}

var errNoAddress = errors.New("no server has an address")

const (
	firstPause = 50 * time.Millisecond
	maxPause   = 5 * time.Second
)

func newDialer(servers []server, set *settings) *dialer {
	d := &dialer{servers: servers, set: set, resolve: net.DefaultResolver.LookupHost, failed: map[server]error{}}
	d.pause = newBackoff(firstPause, min(max(set.sessionTimeout/8, 250*time.Millisecond), maxPause))
	return d
}

// newBackoff makes a jittered, exponential back-off without an end of its own.
func newBackoff(first, most time.Duration) *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(first),
		backoff.WithMaxInterval(most),
		backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(0.5),
		backoff.WithMaxElapsedTime(0),
	)
}

// dial opens one connection. It returns one failure at a time, and pauses where
// that is due.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	t, err := d.next(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.attempt(), fmt.Errorf("no connection within %v", d.attempt()))
	defer cancel()
	conn, err := d.open(ctx, t)
	if err != nil {
		if ctx.Err() != nil {
			err = ctxError(ctx)
		}
		return nil, err
	}
	return conn, nil
}

func (d *dialer) open(ctx context.Context, t target) (net.Conn, error) {
	conn, err := d.set.dial(ctx, "tcp", t.addr)
	if err != nil || d.set.tls == nil {
		return conn, err
	}
	cfg := d.set.tls
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		cfg = cfg.Clone()
		cfg.ServerName = t.server.host
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

// attempt is the time for one dial: a third of the session timeout, which is what
// is left of it when a silent server has been noticed, divided by the servers.
func (d *dialer) attempt() time.Duration {
	if d.set.dialTimeout > 0 {
		return d.set.dialTimeout
	}
	return max(d.set.sessionTimeout/time.Duration(3*len(d.servers)), 250*time.Millisecond)
}

// handshake is the time for one handshake. With a session at stake it has to leave
// time for other servers; a new one needs a commit of the quorum.
func (d *dialer) handshake(resuming bool) time.Duration {
	if resuming {
		return max(d.set.sessionTimeout/time.Duration(2*len(d.servers)+1), 250*time.Millisecond)
	}
	return max(d.set.sessionTimeout/3, time.Second)
}

// next waits if a pause is due and chooses the next address.
func (d *dialer) next(ctx context.Context) (target, error) {
	d.mu.Lock()
	var wait time.Duration
	if d.due {
		d.due = false
		wait = d.pause.NextBackOff()
	}
	d.mu.Unlock()
	if err := sleep(ctx, wait); err != nil {
		return target{}, err
	}

	d.mu.Lock()
	empty := len(d.round) == 0
	d.mu.Unlock()
	if empty {
		round, err := d.addresses(ctx)
		if err != nil {
			return target{}, err
		}
		d.mu.Lock()
		d.round = round
		d.mu.Unlock()
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.round) == 0 {
		d.due = true
		return target{}, errNoAddress
	}
	t := d.round[0]
	d.round = d.round[1:]
	d.due = len(d.round) == 0
	d.current = t.server
	return t, nil
}

// addresses resolves all names, anew for each round, and shuffles. The server used
// last comes last.
func (d *dialer) addresses(ctx context.Context) ([]target, error) {
	var all []target
	for _, s := range d.servers {
		if net.ParseIP(strings.SplitN(s.host, "%", 2)[0]) != nil {
			all = append(all, target{server: s, addr: s.String()})
			continue
		}
		lookup, cancel := context.WithTimeout(ctx, d.attempt())
		ips, err := d.resolve(lookup, s.host)
		cancel()
		if ctx.Err() != nil {
			return nil, ctxError(ctx)
		}
		if err != nil {
			d.mu.Lock()
			d.failed[s] = err
			d.mu.Unlock()
			continue
		}
		for _, ip := range ips {
			all = append(all, target{server: s, addr: net.JoinHostPort(ip, s.port)})
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	d.mu.Lock()
	last := d.current
	d.mu.Unlock()
	slices.SortStableFunc(all, func(a, b target) int {
		switch {
		case a.server == b.server:
			return 0
		case a.server == last:
			return 1
		case b.server == last:
			return -1
		}
		return 0
	})
	return all, nil
}

// rejected notes why the server tried last could not be used, and returns its name.
func (d *dialer) rejected(err error) string {
	if errors.Is(err, errNoAddress) { // each server's own reason is noted already
		return "all"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed[d.current] = err
	return d.current.String()
}

// connected notes that the server tried last has completed the handshake.
func (d *dialer) connected() {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.failed, d.current)
	d.round = nil
	d.due = false
}

// ended tells that a connection is gone. One that has lasted clears the back-off;
// after one that has not, the next dial waits.
func (d *dialer) ended(lasted time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if lasted >= time.Second {
		d.pause.Reset()
		d.due = false
		return
	}
	d.due = true
}

// report says for each server what is known to be wrong with it.
func (d *dialer) report() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var parts []string
	for _, s := range d.servers {
		if err := d.failed[s]; err != nil {
			parts = append(parts, fmt.Sprintf("%v: %v", s, err))
		} else {
			parts = append(parts, fmt.Sprintf("%v: no answer yet", s))
		}
	}
	return errors.New(strings.Join(parts, "; "))
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		if ctx.Err() != nil {
			return ctxError(ctx)
		}
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctxError(ctx)
	}
}
