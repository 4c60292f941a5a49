package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Lease is a lock for a span of time: whoever takes it holds it until its end, whatever
// becomes of the process or its session, unless it is renewed or released before. It is
// Kazoo's NonBlockingLease, znode for znode, and shares a path with it.
//
// A lease rests on wall clocks: its end is a time of day, written down in whole seconds. It is
// exclusive only as far as the clocks of all who use it agree; [WithMargin] says by how
// much they may differ. Who needs more takes a [Mutex]: that rests on the servers. What is
// protected by a lease can be fenced by [Taken.Token].
//
// A holder is known by its identifier alone: whoever takes a lease with the
// identifier of its holder renews it, as with Kazoo, in this process or another.
//
// A Lease is safe for concurrent use, holds nothing between calls and need not be closed.
type Lease struct {
	cl     *client.Client
	path   string
	line   *recipes.Line // Kazoo's lock, under which the holder is written
	span   time.Duration
	margin time.Duration
	id     string
	err    error
}

// ErrLeaseFormat is returned when what is stored as a lease's holder cannot be read, or is of
// another version of Kazoo's format. It is left as it is.
var ErrLeaseFormat = errors.New("unknown form of lease")

// LeaseOption changes how a [Lease] or a [MultiLease] works. An option that cannot be is
// reported by the first call, not ignored.
type LeaseOption func(*Lease) error

// WithHolder sets the identifier by which the holder is known; see [Lease]. It must not be
// empty, is UTF-8 and has at most 64 KiB. Default: the host's name, which is Kazoo's default
// as well; then all processes of a host are one holder.
func WithHolder(id string) LeaseOption {
	return func(l *Lease) error {
		if id == "" || len(id) > maxIdentifier || !validText(id) {
			return fmt.Errorf("%w: the holder's identifier is empty, no UTF-8, or has more than %d bytes", client.ErrBadArgument, maxIdentifier)
		}
		l.id = id
		return nil
	}
}

// WithMargin says by how much the clocks of those who use the lease may differ. A holder takes
// its lease for ended that much before its end, and somebody else's that much after it; Kazoo's
// processes take it at its end. So with a margin no less than what two clocks ever differ
// by nobody takes it too early, and if Kazoo's processes take part neither. Default: 1 second.
func WithMargin(d time.Duration) LeaseOption {
	return func(l *Lease) error {
		if d < 0 {
			return fmt.Errorf("%w: the margin %v is negative", client.ErrBadArgument, d)
		}
		l.margin = d
		return nil
	}
}

const (
	defaultMargin = time.Second
	holderName    = "lease_holder"
)

// NewLease returns the lease on path, the directory in which its holder is written down; it is
// made with its parents when the lease is first taken. A lease lasts for duration from when it
// is taken, cut to the whole second before; duration is longer than the margin and a second more.
// Nothing is sent; what cannot be is reported by the first call.
func NewLease(cl *client.Client, path string, duration time.Duration, opts ...LeaseOption) *Lease {
	l, err := newLease(cl, path, duration, opts)
	if err != nil {
		return &Lease{path: path, err: fmt.Errorf("lease %s: %w", path, err)}
	}
	return l
}

func newLease(cl *client.Client, path string, duration time.Duration, opts []LeaseOption) (*Lease, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	l := &Lease{cl: cl, path: path, span: duration, margin: defaultMargin, id: host}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		}
		if err := opt(l); err != nil {
			return nil, err
		}
	}
	if l.span <= l.margin+time.Second {
		return nil, fmt.Errorf("%w: the duration %v is too short: ends are whole seconds, and the margin is %v", client.ErrBadArgument, l.span, l.margin)
	}
	l.line, err = recipes.NewLine(cl, path, recipes.LineConfig{Layout: recipes.Kazoo, Data: []byte(l.id)})
	return l, err
}

// Path returns the path of the lease, as it was given.
func (l *Lease) Path() string { return l.path }

func (l *Lease) holderPath() string { return client.Join(l.path, holderName) }

func (l *Lease) failed(err error) error { return fmt.Errorf("lease %s: %w", l.path, err) }

// TryTake takes the lease if nobody else has it, and renews it if its holder has the same
// identifier. [ErrBusy] says that somebody else has it; the error is a [*LeaseBusyError] then. It
// may wait for those who are taking, renewing or releasing it just now, as Kazoo does.
//
// If replies are lost it finds out what has become of the request. If ctx ends, or the client is closed,
// before that has been found out, the error's client.Outcome is Unknown: the lease may have been
// taken, and then stands until its end; the client tries to give it back in the background.
//
// Other errors: [ErrLeaseFormat]; [ErrLayoutConflict]; what the client and the server refuse.
func (l *Lease) TryTake(ctx context.Context) (*Taken, error) {
	if l.err != nil {
		return nil, l.err
	}
	held, _, err := l.read(ctx, l.cl.Ops)
	if err == nil {
		if err = l.busy(held); err == nil {
			var w *written
			if w, err = l.write(ctx, nil); err == nil {
				return newTaken(ctx, l, w), nil
			}
		}
	}
	return nil, l.failed(err)
}

// Take is TryTake, and waits as long as somebody else has the lease: until it is
// released, or a margin after its end, as it is written then. Of many who wait for one lease the
// quickest gets it, not the first.
func (l *Lease) Take(ctx context.Context) (*Taken, error) {
	for {
		taken, err := l.TryTake(ctx)
		if err == nil || !errors.Is(err, ErrBusy) {
			return taken, err
		}
		if err := awaitNews(ctx, l); err != nil {
			return nil, l.failed(err)
		}
	}
}

// Holder returns who has the lease, and until when; ok is false if nobody has: its end, and
// the margin, are past, or it was never taken. It costs one read. A server that lags
// behind may be late by a moment.
func (l *Lease) Holder(ctx context.Context) (id string, end time.Time, ok bool, err error) {
	if l.err != nil {
		return "", time.Time{}, false, l.err
	}
	held, _, err := l.read(ctx, l.cl.Ops)
	if err != nil {
		return "", time.Time{}, false, l.failed(err)
	}
	if held == nil || l.over(held) {
		return "", time.Time{}, false, nil
	}
	return held.holder, held.end, true, nil
}

// over tells whether anybody may take what somebody has.
func (l *Lease) over(held *record) bool { return !time.Now().Before(held.end.Add(l.margin)) }

// busy is the error if somebody else has the lease.
func (l *Lease) busy(held *record) error {
	if held == nil || held.holder == l.id || l.over(held) {
		return nil
	}
	return &LeaseBusyError{Path: l.path, Holder: held.holder, End: held.end}
}

// LeaseBusyError says who has a lease, and until when. It is an [ErrBusy].
type LeaseBusyError struct {
	// Path is the lease's.
	Path string
	// Holder is the identifier of who has it.
	Holder string
	// End is when it ends, by the holder's clock.
	End time.Time
}

// Error implements error.
func (e *LeaseBusyError) Error() string {
	return fmt.Sprintf("%v: %s has %q until %s", ErrBusy, e.Path, e.Holder, e.End.Format(time.RFC3339))
}

// Unwrap returns [ErrBusy].
func (e *LeaseBusyError) Unwrap() error { return ErrBusy }

// read reads who has the lease: nil if nobody ever had, or it was released.
func (l *Lease) read(ctx context.Context, o client.Ops) (*record, client.Stat, error) {
	data, stat, err := o.Get(ctx, l.holderPath())
	if errors.Is(err, client.ErrNoNode) {
		return nil, client.Stat{}, nil
	}
	if err != nil {
		return nil, stat, err
	}
	held, err := parseRecord(data)
	if err != nil {
		return nil, stat, fmt.Errorf("%s: %w", l.holderPath(), err)
	}
	return held, stat, nil
}
