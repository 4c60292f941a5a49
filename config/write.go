package config

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// state is a document as it was read.
type state struct {
	exists bool
	data   []byte
	stat   client.Stat
}

func (s state) version() Version {
	if !s.exists {
		return Version{}
	}
	return versionOf(s.stat)
}

// read reads the document.
func (d *Document[T]) read(ctx context.Context) (state, error) {
	data, stat, err := d.cl.Get(ctx, d.path)
	if errors.Is(err, client.ErrNoNode) {
		return state{}, nil
	}
	return state{err == nil, data, stat}, err
}

// errRaced says that the document is not what it was read as; what was written has not been and never will be.
var errRaced = errors.New("the document has changed meanwhile")

// replace writes what next makes of the present document, again if somebody else was faster. start is what the caller
// believes to be there, or nil. It returns a transaction not newer than the one that has written: whoever
// sees the document at that or later sees what was written, or something newer.
func (d *Document[T]) replace(ctx context.Context, start *state, next func(state) ([]byte, error)) (zxid int64, err error) {
	if d.err != nil {
		return 0, d.err
	}
	for n := 0; ; n++ {
		var s state
		if start != nil {
			s, start = *start, nil
		} else if s, err = d.read(ctx); err != nil {
			return 0, d.failed(err)
		}
		data, err := next(s)
		if err != nil {
			return 0, d.failed(err)
		}
		switch zxid, err = d.write(ctx, s, data); {
		case err == nil:
			return zxid, nil
		case !errors.Is(err, errRaced):
			return 0, d.failed(err)
		}
		if err := pause(ctx, n); err != nil {
			return 0, d.failed(err)
		}
	}
}

const (
	pauseFirst = 2 * time.Millisecond
	pauseMost  = time.Second
)

// pause keeps those apart who write at once. The first time there is none.
func pause(ctx context.Context, n int) error {
	if n == 0 {
		return ended(ctx)
	}
	most := min(pauseMost, pauseFirst<<min(n, 10))
	timer := time.NewTimer(1 + rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// write replaces the document s by data, once.
func (d *Document[T]) write(ctx context.Context, s state, data []byte) (zxid int64, err error) {
	if s.exists && s.stat.Version == client.AnyVersion {
		return 0, fmt.Errorf("%w: the node has been changed 2^32 times and its version is -1, which cannot be compared; set it once by other means", client.ErrBadArgument)
	}
	if d.set.keep == 0 {
		return d.writeAlone(ctx, s, data)
	}
	r, err := d.record(ctx, s)
	if err != nil {
		return 0, err
	}
	zxid, err = d.commit(ctx, s, data, r)
	if err == nil {
		d.trim(ctx)
	}
	return zxid, err
}

// commit executes the transaction that writes the document and its record, and finds out what became
// of it. Repeating it is safe: it can succeed once only, since the record has a name of its own.
func (d *Document[T]) commit(ctx context.Context, s state, data []byte, r record) (zxid int64, err error) {
	var lost error // why it is not known whether an attempt before was executed
	for {
		txn := d.cl.Txn().Create(r.path, r.data, r.acl...)
		if s.exists {
			txn.Set(d.path, data, s.stat.Version)
		} else {
			txn.Create(d.path, data)
		}
		results, err := txn.Commit(ctx)
		at := -1
		if e, ok := errors.AsType[*client.TxnError](err); ok {
			at = e.Index
		}
		outcome := client.Outcome(err)
		switch {
		case err == nil:
			if s.exists {
				return results[1].Stat.Mzxid, nil
			}
			return 0, nil
		case outcome == client.Unknown && ctx.Err() == nil && !errors.Is(err, client.ErrClosed):
			lost = err
		case outcome != client.Definite:
			if outcome == client.NotSent && lost != nil {
				return 0, fmt.Errorf("%w; then: %v", lost, err) //nolint:errorlint // the outcome is that of the attempt that was lost
			}
			return 0, err
		case at == 0 && errors.Is(err, client.ErrNodeExists): // an attempt before was executed
			return s.stat.Mzxid + 1, nil
		case at == 0 && errors.Is(err, client.ErrNoNode):
			if err := d.makeDir(ctx, r.dir); err != nil {
				return 0, unknownIf(lost, err)
			}
		case at == 1 && !s.exists && errors.Is(err, client.ErrNoNode):
			if err := d.makeDir(ctx, parentOf(d.path)); err != nil {
				return 0, unknownIf(lost, err)
			}
		case at == 1 && (errors.Is(err, client.ErrBadVersion) || errors.Is(err, client.ErrNoNode) || errors.Is(err, client.ErrNodeExists)):
			return 0, d.raced(ctx, r, lost)
		default:
			if at == 0 {
				err = fmt.Errorf("the record of what is replaced, for the history (see WithHistory): %w", err)
			}
			return 0, unknownIf(lost, err)
		}
	}
}

// unknownIf returns err, unless it is not known whether an attempt was executed, because of lost.
func unknownIf(lost, err error) error {
	if lost == nil {
		return err
	}
	return fmt.Errorf("%w; then: %v", lost, err) //nolint:errorlint // the outcome is that of the attempt that was lost
}

// raced says what became of a transaction that can succeed no more, since the document has
// changed: whether an attempt whose reply was lost has succeeded before that. Its record would be there, unless as many
// newer ones as are kept have come since.
func (d *Document[T]) raced(ctx context.Context, r record, lost error) error {
	if lost == nil {
		return errRaced
	}
	names, _, err := d.cl.Children(ctx, r.dir)
	if err != nil {
		return unknownIf(lost, err)
	}
	newer := 0
	for _, name := range names {
		if k, ok := parseRecord(name); ok && r.key.less(k) {
			newer++
		}
	}
	if newer >= d.set.keep {
		return fmt.Errorf("%w; the history has been written over since", lost)
	}
	return errRaced
}

// writeAlone writes the document without a record of it.
func (d *Document[T]) writeAlone(ctx context.Context, s state, data []byte) (zxid int64, err error) {
	var stat client.Stat
	if s.exists {
		stat, err = d.cl.Set(ctx, d.path, data, s.stat.Version)
	} else {
		var made client.Created
		made, err = d.cl.Create(ctx, d.path, data, client.WithParents())
		stat = made.Stat
	}
	if client.Outcome(err) == client.Definite && (errors.Is(err, client.ErrBadVersion) || errors.Is(err, client.ErrNoNode) || errors.Is(err, client.ErrNodeExists)) {
		return 0, errRaced
	}
	return stat.Mzxid, err
}

// makeDir makes a directory, with its parents.
func (d *Document[T]) makeDir(ctx context.Context, path string) error {
	_, err := d.cl.Idempotent().Create(ctx, path, nil, client.WithParents())
	if errors.Is(err, client.ErrNodeExists) {
		return nil
	}
	return err
}

func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}
