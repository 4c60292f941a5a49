package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/zookit/zookit/client"
)

// MultiLease is a number of leases of which a holder has one: Kazoo's MultiNonBlockingLease. They are
// on the paths <path>/0, <path>/1 and so on. A holder that has one already renews that; Kazoo takes
// the first that is free or its own, so it may come to hold two. All that is said of [Lease]
// holds for each of them.
type MultiLease struct {
	leases []*Lease
	path   string
	err    error
}

// NewMultiLease returns the count leases below path, of which each lasts for duration. At least 1.
// Options and errors are those of [NewLease].
func NewMultiLease(cl *client.Client, path string, count int, duration time.Duration, opts ...LeaseOption) *MultiLease {
	m := &MultiLease{path: path}
	if count < 1 {
		m.err = fmt.Errorf("lease %s: %w: %d leases: at least 1 is needed", path, client.ErrBadArgument, count)
		return m
	}
	if err := client.CheckPath(path); err != nil {
		m.err = fmt.Errorf("lease %s: %w", path, err)
		return m
	}
	for i := range count {
		l := NewLease(cl, client.Join(path, strconv.Itoa(i)), duration, opts...)
		if l.err != nil {
			m.err = l.err
			return m
		}
		m.leases = append(m.leases, l)
	}
	return m
}

// Path returns the path below which the leases are, as it was given.
func (m *MultiLease) Path() string { return m.path }

// TryTake takes one of the leases, or renews the one that the identifier has. The error is a
// [*LeaseBusyError] about the one that ends first if others have them all, and otherwise as
// that of [Lease.TryTake].
func (m *MultiLease) TryTake(ctx context.Context) (*Taken, error) {
	if m.err != nil {
		return nil, m.err
	}
	order, err := m.ownFirst(ctx)
	if err != nil {
		return nil, err
	}
	var first *LeaseBusyError
	for _, l := range order {
		t, err := l.TryTake(ctx)
		if err == nil {
			return t, nil
		}
		busy, ok := errors.AsType[*LeaseBusyError](err)
		if !ok {
			return nil, err
		}
		if first == nil || busy.End.Before(first.End) {
			first = busy
		}
	}
	return nil, fmt.Errorf("lease %s: all %d are taken: %w", m.path, len(m.leases), first)
}

// Take is TryTake, and waits as long as others have all of them; see [Lease.Take].
func (m *MultiLease) Take(ctx context.Context) (*Taken, error) {
	for {
		t, err := m.TryTake(ctx)
		if err == nil || !errors.Is(err, ErrBusy) {
			return t, err
		}
		if err := awaitNews(ctx, m.leases...); err != nil {
			return nil, fmt.Errorf("lease %s: %w", m.path, err)
		}
	}
}

// ownFirst is the order in which to try.
func (m *MultiLease) ownFirst(ctx context.Context) ([]*Lease, error) {
	for i, l := range m.leases {
		held, _, err := l.read(ctx, l.cl.Ops)
		if err != nil {
			return nil, l.failed(err)
		}
		if held != nil && held.holder == l.id && !l.over(held) {
			return slices.Insert(slices.Delete(slices.Clone(m.leases), i, i+1), 0, l), nil
		}
	}
	return m.leases, nil
}
