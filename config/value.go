package config

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Value is a document whose value is always at hand. Make it with [Watch] and close it when it is
// no longer needed. Safe for concurrent use.
type Value[T any] struct {
	*Document[T]

	src    *source
	cur    atomic.Pointer[settled[T]]
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once
}

// settled is what is in force at one time. It never changes, but for the channel, which is closed when there
// is a newer one.
type settled[T any] struct {
	value   T
	version Version // of value
	seen    int64   // the newest transaction of the node that has been looked at, good or bad
	rank    uint64  // grows with each value
	fault   uint64  // grows with each error
	err     error
	final   bool
	newer   chan struct{}
}

// Watch reads the document at path and follows it until [Value.Close]: Load returns the last good value at
// any time, without asking anybody. It returns when the document has been read. ctx bounds the call only.
//
// All Values of a client on one path, and all that range over their Updates, together cost one watch on the server, and
// one read for each change. The value never goes back to an older one, and the newest always arrives, also
// after lost connections and sessions and at servers that lag behind.
//
// Errors: [ErrNoDocument] if there is none, and [ErrBadDocument], both only without a default; client.ErrUnimplemented from
// servers before 3.6; client.ErrNoAuth; client.ErrBadArgument, client.ErrBadPath; client.ErrClosed; ctx's.
func Watch[T any](ctx context.Context, cl *client.Client, path string, opts ...Option[T]) (*Value[T], error) {
	d := New(cl, path, opts...)
	if d.err != nil {
		return nil, d.err
	}
	src, err := openSource(ctx, cl, path)
	if err != nil {
		return nil, d.failed(err)
	}
	v := &Value[T]{Document: d, src: src, done: make(chan struct{})}
	first, err := v.first()
	if err != nil {
		src.release()
		return nil, d.failed(err)
	}
	v.cur.Store(first)
	alive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	v.cancel = cancel
	go v.run(alive)
	return v, nil
}

// first is what is in force at the beginning.
func (v *Value[T]) first() (*settled[T], error) {
	s := &settled[T]{newer: make(chan struct{})}
	node, ok := v.src.mirror.Get(v.path)
	if !ok {
		node = &recipes.MirrorNode{}
	} else {
		s.version, s.seen = versionOf(node.Stat), node.Stat.Mzxid
	}
	var err error
	if s.value, err = v.set.effective(node.Data, ok); err == nil {
		return s, nil
	}
	if v.set.fallback == nil || !ok {
		return nil, err
	}
	if s.value, err = v.set.effective(nil, false); err != nil { // the default must be good
		return nil, err
	}
	_, bad := v.set.effective(node.Data, true)
	s.version, s.err, s.fault = Version{}, v.failed(bad), 1
	return s, nil
}

// run follows the node.
func (v *Value[T]) run(ctx context.Context) {
	defer close(v.done)
	for c, err := range v.src.mirror.Changes(ctx) {
		switch {
		case err != nil && ctx.Err() == nil:
			final := errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrAuthFailed)
			v.publish(func(s *settled[T]) { s.err, s.final, s.fault = v.failed(err), final, s.fault+1 })
		case err != nil:
		case c.Kind == recipes.MirrorResynced:
			v.resynced()
		default:
			v.take(c.New)
		}
	}
	v.publish(func(s *settled[T]) { s.final = true })
}

// take has a node, or none, come into force.
func (v *Value[T]) take(node *recipes.MirrorNode) {
	var (
		data    []byte
		version Version
	)
	if node != nil {
		data, version = node.Data, versionOf(node.Stat)
	}
	if version.Exists && version.Zxid == v.cur.Load().seen {
		return
	}
	value, err := v.set.effective(data, node != nil)
	v.publish(func(s *settled[T]) {
		s.seen = version.Zxid
		if s.err = v.failed(err); err != nil {
			s.fault++
			return
		}
		s.value, s.version = value, version
		s.rank++
	})
}

// resynced takes an error back that was about reading the node: everything has been read again. That the document is
// bad or gone stays.
func (v *Value[T]) resynced() {
	s := v.cur.Load()
	if _, ok := v.src.mirror.Get(v.path); !ok && s.seen != 0 { // deleted between first and the beginning of run
		v.take(nil)
		return
	}
	if s.err == nil || errors.Is(s.err, ErrBadDocument) || errors.Is(s.err, ErrNoDocument) {
		return
	}
	node, ok := v.src.mirror.Get(v.path)
	if !ok {
		node = nil
	}
	v.publish(func(s *settled[T]) { s.err, s.seen = nil, 0 })
	v.take(node)
}

// publish replaces what is in force. Only run calls it.
func (v *Value[T]) publish(change func(*settled[T])) {
	old := v.cur.Load()
	s := *old
	s.newer = make(chan struct{})
	change(&s)
	v.cur.Store(&s)
	close(old.newer)
}

// Load returns the last good value: that of the newest document that could be read and is valid, or the
// default if there is no document. It costs one atomic load. All callers share the value: what it points to must not be
// changed.
func (v *Value[T]) Load() T { return v.cur.Load().value }

// Current returns the last good value and the version of the document that it is from; the zero Version for the
// default.
func (v *Value[T]) Current() (T, Version) {
	s := v.cur.Load()
	return s.value, s.version
}

// Err returns nil, or why what Load returns is not what the present document says: [ErrBadDocument];
// [ErrNoDocument], if it was deleted and there is no default; client.ErrNoAuth and others of [recipes.MirrorState]. It is
// nil while the connection is lost.
func (v *Value[T]) Err() error { return v.cur.Load().err }

// Updates yields the present value and then each newer one, always the most recent: what comes while the
// consumer is busy is skipped for what comes after it. Together with an error (that of Err) comes the value that stays in
// force. The sequence ends with ctx, whose error comes last, after Close, or with the client's end, whose error comes last. Each
// range starts anew; a thousand at a time cost no more than one on the server.
func (v *Value[T]) Updates(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var rank, fault uint64
		for first := true; ; first = false {
			s := v.cur.Load()
			switch {
			case ctx.Err() != nil:
				yield(s.value, ended(ctx))
				return
			case s.err != nil && s.fault != fault:
				if !yield(s.value, s.err) {
					return
				}
			case first || s.rank != rank:
				if !yield(s.value, nil) {
					return
				}
			}
			rank, fault = s.rank, s.fault
			if s.final {
				return
			}
			select {
			case <-s.newer:
			case <-ctx.Done():
			}
		}
	}
}

// Set is [Document.Set]; when it returns, Load returns v, or what has replaced it.
func (v *Value[T]) Set(ctx context.Context, value T) error {
	zxid, err := v.replace(ctx, v.known(), func(state) ([]byte, error) { return v.set.encode(value) })
	if err != nil {
		return err
	}
	return v.await(ctx, zxid)
}

// Update is [Document.Update]; when it returns, Load returns the new value, or what has replaced it. Its first
// attempt starts from what is known here.
func (v *Value[T]) Update(ctx context.Context, change func(old T) (T, error)) (T, error) {
	out, zxid, err := v.update(ctx, v.known(), change)
	if err != nil {
		return out, err
	}
	return out, v.await(ctx, zxid)
}

// TrySet is [Document.TrySet]; when it returns nil, Load returns v, or what has replaced it.
func (v *Value[T]) TrySet(ctx context.Context, from Version, value T) error {
	zxid, err := v.trySet(ctx, from, value)
	if err != nil {
		return err
	}
	return v.await(ctx, zxid)
}

// RollBack is [Document.RollBack]; when it returns nil, Load returns the revision's value, or what has replaced it.
func (v *Value[T]) RollBack(ctx context.Context, id string) error {
	zxid, err := v.rollBack(ctx, id)
	if err != nil {
		return err
	}
	return v.await(ctx, zxid)
}

// Synced tells whether the client is connected and has read the document since it is: if not, what Load
// returns may be old.
func (v *Value[T]) Synced() bool { return v.src.mirror.State().Synced }

// known is the document as it is known here, as a first guess; nil if there is none, which is cheaper to find out than to
// get wrong.
func (v *Value[T]) known() *state {
	if node, ok := v.src.mirror.Get(v.path); ok {
		return &state{true, node.Data, node.Stat}
	}
	return nil
}

// await waits until a transaction has been looked at. If it cannot, the write was made all the same.
func (v *Value[T]) await(ctx context.Context, zxid int64) error {
	for {
		s := v.cur.Load()
		if s.seen >= zxid && s.seen != 0 || s.final {
			return nil
		}
		select {
		case <-s.newer:
		case <-ctx.Done():
			return nil
		}
	}
}

// Close ends the watch; Load goes on to return the last value. It waits for the goroutine of the Value. It may be called again,
// and at any time.
func (v *Value[T]) Close() {
	v.once.Do(func() {
		v.cancel()
		<-v.done
		v.src.release()
	})
	<-v.done
}
