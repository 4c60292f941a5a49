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
	set     *settings
	resolve func(ctx context.Context, host string) ([]string, error)

	mu      sync.Mutex
	servers []server // as given
	changes int      // of servers and found
	found   []server // in the ensemble's configuration; they are tried first
	round   []target
	pause   *backoff.ExponentialBackOff
	due     bool // the next dial comes after a pause
	current server
	failed  map[server]error
	trying  target    // of the attempt under way; empty until an address is chosen
	began   time.Time // zero if none is under way
	size    int       // addresses of this round, and one more if some are not known
	refused int       // with how many of them TLS has failed for good
	warned  bool      // it has been told that it did with all
	met     bool      // a server has completed the handshake, ever
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

// follow replaces the servers that are tried before those given, and reports whether
// that is a change.
func (d *dialer) follow(found []server) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Equal(d.found, found) {
		return false
	}
	d.found = slices.Clone(found)
	d.changed()
	return true
}

// replace replaces the servers that were given.
func (d *dialer) replace(servers []server) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.servers = servers
	d.changed()
}

// changed makes the next dial begin a new round. The caller holds the lock.
func (d *dialer) changed() {
	d.changes++
	d.round = nil
}

// list returns all servers, those that are tried first before the others.
func (d *dialer) list() []server {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := slices.Clone(d.found)
	for _, s := range d.servers {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
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
	secure := tls.Client(conn, d.tlsFor(t))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, d.tlsError(err)
	}
	return secure, nil
}

// attempt is the time for one dial: a third of the session timeout, which is what
// is left of it when a silent server has been noticed, divided by the servers.
func (d *dialer) attempt() time.Duration {
	if d.set.dialTimeout > 0 {
		return d.set.dialTimeout
	}
	return max(d.set.sessionTimeout/time.Duration(3*len(d.list())), 250*time.Millisecond)
}

// handshake is the time for one handshake. With a session at stake it has to leave
// time for other servers; a new one needs a commit of the quorum.
func (d *dialer) handshake(resuming bool) time.Duration {
	if resuming {
		return max(d.set.sessionTimeout/time.Duration(2*len(d.list())+1), 250*time.Millisecond)
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
	d.trying, d.began = target{}, time.Now()
	d.mu.Unlock()
	if err := d.fill(ctx); err != nil {
		return target{}, err
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
	d.current, d.trying = t.server, t
	return t, nil
}

// fill makes the next round if there is none, anew if the servers change meanwhile.
func (d *dialer) fill(ctx context.Context) error {
	for {
		d.mu.Lock()
		empty, before := len(d.round) == 0, d.changes
		d.mu.Unlock()
		if !empty {
			return nil
		}
		round, err := d.addresses(ctx)
		if err != nil {
			return err
		}
		if d.begin(round, before) {
			return nil
		}
	}
}

// begin begins a round, if it is of the present servers.
func (d *dialer) begin(round []target, changes int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes != changes {
		return false
	}
	d.round = round
	d.size, d.refused = len(round), 0
	if !d.covers(round) {
		d.size++
	}
	return true
}

// addresses resolves all names, anew for each round, and shuffles. Servers that were
// found come before those given, and of either the one used last comes last.
func (d *dialer) addresses(ctx context.Context) ([]target, error) {
	var all []target
	for _, s := range d.list() {
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
	last, found := d.current, d.found
	d.mu.Unlock()
	turn := func(t target) (n int) {
		if !slices.Contains(found, t.server) {
			n += 2
		}
		if t.server == last {
			n++
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b target) int { return turn(a) - turn(b) })
	return all, nil
}

// covers tells whether a round has an address of each server.
func (d *dialer) covers(round []target) bool {
	for _, s := range d.servers {
		if !slices.ContainsFunc(round, func(t target) bool { return t.server == s }) {
			return false
		}
	}
	return true
}

// rejected notes why the server tried last could not be used, and returns its name.
func (d *dialer) rejected(err error) string {
	if errors.Is(err, errNoAddress) { // each server's own reason is noted already
		return "all"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed[d.current] = err
	if refusesTLS(err) {
		d.refused++
	}
	return d.current.String()
}

// concluded returns the attempt that has ended and when it began; it is false if
// there is none that has not been returned before.
func (d *dialer) concluded() (t target, began time.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, began = d.trying, d.began
	d.began = time.Time{}
	return t, began, !began.IsZero()
}

// connected notes that the server tried last has completed the handshake.
func (d *dialer) connected() {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.failed, d.current)
	d.round = nil
	d.due = false
	d.met, d.warned = true, false
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
	servers := d.list()
	d.mu.Lock()
	defer d.mu.Unlock()
	var parts []string
	for _, s := range servers {
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
