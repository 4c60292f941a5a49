package config

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
)

// Version says which state of a document a value is.
type Version struct {
	// Exists says whether there is a document.
	Exists bool
	// Number is ZooKeeper's version of the node, which counts its changes from 0.
	Number int32
	// Zxid is the transaction that has made this version: it grows with each.
	Zxid int64
	// Modified is when that was, by the leader's clock.
	Modified time.Time
}

func versionOf(s client.Stat) Version {
	return Version{Exists: true, Number: s.Version, Zxid: s.Mzxid, Modified: s.Mtime}
}

// Document is one typed setting: a node whose data is a value of T. It holds nothing between calls and
// need not be closed; [Watch] keeps its value at hand. Safe for concurrent use.
type Document[T any] struct {
	cl   *client.Client
	path string
	set  settings[T]
	err  error
}

// New returns the document at path. Nothing is sent; a path or an option that cannot be is reported by the
// first call.
func New[T any](cl *client.Client, path string, opts ...Option[T]) *Document[T] {
	d := &Document[T]{cl: cl, path: path}
	if d.set, d.err = configure(cl, path, opts); d.err != nil {
		d.err = d.failed(d.err)
	}
	return d
}

// Path returns the path of the document's node, as it was given.
func (d *Document[T]) Path() string { return d.path }

func (d *Document[T]) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("config %s: %w", d.path, err)
}

// Get reads the document, as the connected server knows it, and returns what comes into force with it: also the
// default if there is none. Errors: [ErrNoDocument], [ErrBadDocument], client.ErrNoAuth, and those common to all operations.
func (d *Document[T]) Get(ctx context.Context) (T, Version, error) {
	var zero T
	if d.err != nil {
		return zero, Version{}, d.err
	}
	data, stat, err := d.cl.Get(ctx, d.path)
	var version Version
	switch {
	case errors.Is(err, client.ErrNoNode):
	case err != nil:
		return zero, Version{}, d.failed(err)
	default:
		version = versionOf(stat)
	}
	v, err := d.set.effective(data, version.Exists)
	if err != nil {
		return zero, version, d.failed(err)
	}
	return v, version, nil
}

// Set makes v the document, whatever is there, and creates the node, with its parents, if there is none. What it
// replaces goes into the history. When it returns nil v has been the document, also if replies were lost. An
// error whose client.Outcome is Unknown says that v may be the document, or may yet be for a moment.
//
// Errors: [ErrInvalid]; client.ErrNoAuth; client.ErrTooLarge: with a history a request holds the old
// document and the new one; and those common to all operations.
func (d *Document[T]) Set(ctx context.Context, v T) error {
	_, err := d.replace(ctx, nil, func(state) ([]byte, error) { return d.set.encode(v) })
	return err
}

// TrySet is Set for a caller that has seen a version, and does nothing if the document has another one
// by now: client.ErrBadVersion. The zero Version says that there was no document.
func (d *Document[T]) TrySet(ctx context.Context, from Version, v T) error {
	_, err := d.trySet(ctx, from, v)
	return err
}

func (d *Document[T]) trySet(ctx context.Context, from Version, v T) (zxid int64, err error) {
	return d.replace(ctx, nil, func(s state) ([]byte, error) {
		if have := s.version(); have.Exists != from.Exists || have.Number != from.Number || have.Zxid != from.Zxid {
			return nil, fmt.Errorf("%w: it is %s, not %s", client.ErrBadVersion, have, from)
		}
		return d.set.encode(v)
	})
}

// Update replaces the document by what change makes of it, exactly once: change gets the present
// value and returns the new one, and is called again with the newer value if somebody else has been faster. Where there
// is no document it gets the default, or the zero value. What environment and command line say ([WithBinding])
// is not in it. An error of change ends Update, which returns it.
//
// A write whose reply was lost is recognised by its revision in the history, also in another session, so that no
// change is made twice. Only if the history has been written over meanwhile, or there is none ([WithHistory]), or
// ctx ends, it may remain unknown whether it was: the error's client.Outcome says so.
//
// ZooKeeper counts versions from 0 again when a node is deleted and made anew; an update from before that is taken for one
// from afterwards if their versions are the same.
//
// Errors: [ErrBadDocument] if what is there cannot be read: Set replaces it; [ErrInvalid]; those of Set.
func (d *Document[T]) Update(ctx context.Context, change func(old T) (T, error)) (T, error) {
	v, _, err := d.update(ctx, nil, change)
	return v, err
}

func (d *Document[T]) update(ctx context.Context, start *state, change func(old T) (T, error)) (v T, zxid int64, err error) {
	zxid, err = d.replace(ctx, start, func(s state) ([]byte, error) {
		old := d.set.base()
		if s.exists {
			var err error
			if old, err = d.set.decode(s.data); err != nil {
				return nil, err
			}
		}
		var err error
		if v, err = change(old); err != nil {
			return nil, err
		}
		return d.set.encode(v)
	})
	if err != nil {
		var zero T
		return zero, 0, err
	}
	return v, zxid, nil
}

// String describes a version.
func (v Version) String() string {
	if !v.Exists {
		return "no document"
	}
	return fmt.Sprintf("version %d (zxid %#x)", v.Number, v.Zxid)
}
