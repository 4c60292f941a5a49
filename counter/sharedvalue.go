package counter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/zookit/zookit/client"
)

// SharedValue is a few bytes that processes share and compare-and-set: Curator's SharedValue. It has the
// guarantees of a [Counter]. Safe for concurrent use; it need not be closed.
type SharedValue struct {
	path string
	reg  *register[[]byte]
	feed *feed[[]byte]
	err  error
}

// Versioned is a value as it was at some moment.
type Versioned struct {
	// Data is the value; nil while the node does not exist.
	Data []byte
	// Exists tells whether there is a node, and Version is its version: it counts changes.
	Exists  bool
	Version int32

	czxid int64 // 0: not known
}

// same tells whether nothing has changed the node between two moments.
func (v Versioned) same(now state[[]byte]) bool {
	if !v.Exists || now.absent {
		return v.Exists == !now.absent
	}
	return v.Version == now.version && (v.czxid == now.czxid || v.czxid == 0 || now.czxid == 0)
}

func versioned(now state[[]byte]) Versioned {
	return Versioned{Data: now.value, Exists: !now.absent, Version: now.version, czxid: now.czxid}
}

// NewSharedValue returns the value at path. Nothing is sent; a path or an option that cannot be is
// reported by the first call.
func NewSharedValue(cl *client.Client, path string, opts ...Option) *SharedValue {
	v := &SharedValue{path: path}
	cfg, err := configure(cl, path, opts)
	if err != nil {
		v.err = v.failed(err)
		return v
	}
	v.reg = &register[[]byte]{cl: cl, path: path, cfg: cfg, alone: true, codec: codec[[]byte]{
		encode: func(data []byte) []byte { return data },
		decode: func(data []byte, _ client.Stat) ([]byte, error) { return data, nil },
	}}
	v.feed = &feed[[]byte]{cl: cl, path: path, read: v.reg.read}
	return v
}

// Path returns the path of the node, as it was given.
func (v *SharedValue) Path() string { return v.path }

func (v *SharedValue) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("shared value %s: %w", v.path, err)
}

// Value returns the value as the server that answers knows it, which may be late by a moment. One read.
func (v *SharedValue) Value(ctx context.Context) (Versioned, error) {
	if v.err != nil {
		return Versioned{}, v.err
	}
	now, err := v.reg.peek(ctx)
	if err != nil {
		return Versioned{}, v.failed(err)
	}
	return versioned(now), nil
}

// Set replaces the value, whatever it was. See [Counter.Add] for lost replies.
func (v *SharedValue) Set(ctx context.Context, data []byte) (Versioned, error) {
	return v.change(ctx, "set", data, true, func(state[[]byte]) bool { return true })
}

// CompareAndSet replaces the value if nobody has changed it since old was read, and reports whether it
// did. Otherwise it returns what the value is now. Two values with the same bytes are not the same if there was a change in
// between. The answer is exact also when replies are lost: see [Counter.Add].
func (v *SharedValue) CompareAndSet(ctx context.Context, old Versioned, data []byte) (now Versioned, swapped bool, err error) {
	now, err = v.change(ctx, "compareAndSet", data, false, old.same)
	if mismatched(err) {
		return now, false, nil
	}
	return now, err == nil, err
}

func (v *SharedValue) change(ctx context.Context, op string, data []byte, blind bool, expected func(state[[]byte]) bool) (Versioned, error) {
	if v.err != nil {
		return Versioned{}, v.err
	}
	data = bytes.Clone(data)
	ch := &change[[]byte]{op: op, blind: blind, apply: func(now state[[]byte]) ([]byte, error) {
		if !expected(now) {
			return nil, errMismatch
		}
		return data, nil
	}}
	_, err := v.reg.do(ctx, ch)
	switch {
	case mismatched(err):
		return versioned(ch.state), err
	case err != nil:
		return Versioned{}, v.failed(err)
	}
	return versioned(ch.state), nil
}

// Update replaces the value by what f makes of it, and returns the new one. f is called, on the caller's goroutine, with
// the value as it was read, and again whenever somebody else has changed that before the new one could
// be written; the change that counts is made exactly once. An error of f ends the call and changes nothing. f
// must not change the slice it is given.
func (v *SharedValue) Update(ctx context.Context, f func(old []byte) ([]byte, error)) (Versioned, error) {
	if f == nil {
		return Versioned{}, v.failed(fmt.Errorf("%w: the function is nil", client.ErrBadArgument))
	}
	old, err := v.Value(ctx)
	var p pace
	for err == nil {
		var data []byte
		if data, err = f(old.Data); err != nil {
			return Versioned{}, v.failed(err)
		}
		var swapped bool
		if old, swapped, err = v.CompareAndSet(ctx, old, data); err != nil || swapped {
			return old, err
		}
		p.lost()
		if werr := p.wait(ctx); werr != nil {
			return Versioned{}, v.failed(harmless("update", v.path, werr))
		}
		old, err = v.Value(ctx)
	}
	return Versioned{}, err
}

// Watch yields the value, and then what it is whenever that has changed; see [Counter.Watch]. While there is
// no node it yields one that does not exist.
func (v *SharedValue) Watch(ctx context.Context) iter.Seq2[Versioned, error] {
	return func(yield func(Versioned, error) bool) {
		if v.err != nil {
			yield(Versioned{}, v.err)
			return
		}
		for now, err := range v.feed.watch(ctx) {
			now.value = slices.Clone(now.value) // all ranges share it
			if !yield(versioned(now), v.failed(err)) {
				return
			}
		}
	}
}

// mismatched tells whether a compare-and-set has found another value, and changed nothing.
func mismatched(err error) bool { return errors.Is(err, errMismatch) }
