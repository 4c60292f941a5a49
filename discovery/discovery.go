package discovery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Discovery is services with their instances below one path: Curator's ServiceDiscovery. Safe for concurrent use; it
// holds nothing, and need not be closed.
type Discovery struct {
	cl   *client.Client
	base string
	full bool
	err  error
}

// Option changes how a [Discovery] works. One that cannot be is reported by the first call, not ignored.
type Option func(*Discovery) error

// WithEnabledKey writes the key "enabled" also for instances that are not disabled, as Curator's
// JsonInstanceSerializer does when its compatible mode is off. Programs of Curator older than 5 fail on it.
func WithEnabledKey() Option {
	return func(d *Discovery) error {
		d.full = true
		return nil
	}
}

// New returns the services below base, the base path of Curator's ServiceDiscovery; Spring Cloud's default is
// /services. Nothing is sent; what cannot be is reported by the first call.
func New(cl *client.Client, base string, opts ...Option) *Discovery {
	d := &Discovery{cl: cl, base: base}
	if cl == nil {
		d.err = fmt.Errorf("%w: the client is nil", client.ErrBadArgument)
	} else {
		d.err = client.CheckPath(base)
	}
	for i, opt := range opts {
		switch {
		case d.err != nil:
		case opt == nil:
			d.err = fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		default:
			d.err = opt(d)
		}
	}
	d.err = d.failed(d.err)
	return d
}

// Base returns the base path, as it was given.
func (d *Discovery) Base() string { return d.base }

func (d *Discovery) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("discovery %s: %w", d.base, err)
}

// Register registers an instance, and returns when others can find it. What is missing is filled in, see
// [Instance]. A [Dynamic] one is kept registered over lost connections and sessions until it is unregistered or the
// client ends: see recipes.Node, which keeps its node. A connection that comes back changes nothing, so that it does not
// flap. If another process has an instance of that id, such as this one before its restart, it waits until that has gone.
// A [Static] or [Permanent] one replaces what is there, and stays until it is unregistered.
//
// Errors: [ErrBadInstance]; client.ErrBadArgument for a [DynamicSequential] one; recipes.ErrNodeTaken if this client
// has registered that id already, or together with ctx's error if another one has; client.ErrNoAuth and what else the
// servers refuse; ctx's.
func (d *Discovery) Register(ctx context.Context, i Instance) (*Registration, error) {
	if d.err != nil {
		return nil, d.err
	}
	r, err := d.register(ctx, i)
	if err != nil {
		return nil, d.failed(fmt.Errorf("register an instance of %s: %w", i.Name, err))
	}
	return r, nil
}

func (d *Discovery) register(ctx context.Context, i Instance) (*Registration, error) {
	if i.ID == "" {
		i.ID = randomUUID()
	}
	if i.Registered.IsZero() {
		i.Registered = time.Now().Truncate(time.Millisecond)
	}
	var err error
	if i.Address == "" {
		if i.Address, err = localAddress(); err != nil {
			return nil, err
		}
	}
	data, err := Encode(i, d.full)
	if err != nil {
		return nil, err
	}
	r := &Registration{d: d, path: d.path(i.Name, i.ID), instance: i}
	switch i.Type {
	case Dynamic:
		r.node, err = recipes.KeepNode(ctx, d.cl, r.path, recipes.NodeConfig{Data: data})
	case Static, Permanent:
		err = d.write(ctx, r.path, data)
	default:
		err = fmt.Errorf("%w: %v instances cannot be registered: use Dynamic", client.ErrBadArgument, i.Type)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// write makes or replaces the node of an instance that is not ephemeral.
func (d *Discovery) write(ctx context.Context, path string, data []byte) error {
	o := d.cl.Idempotent()
	for {
		_, err := o.Set(ctx, path, data, client.AnyVersion)
		if !errors.Is(err, client.ErrNoNode) {
			return err
		}
		_, err = o.Create(ctx, path, data, client.WithContainerParents())
		if !errors.Is(err, client.ErrNodeExists) {
			return err
		}
	}
}

func (d *Discovery) path(name, id string) string { return client.Join(client.Join(d.base, name), id) }

// Names returns the names of the services, sorted: also of those that have no instances any more, until the servers
// have deleted their empty nodes. None if the base path does not exist.
func (d *Discovery) Names(ctx context.Context) ([]string, error) {
	if d.err != nil {
		return nil, d.err
	}
	names, _, err := d.cl.Children(ctx, d.base)
	if errors.Is(err, client.ErrNoNode) {
		return nil, nil
	}
	return names, d.failed(err)
}

// Instances reads the instances of a service, by the name of their nodes: disabled ones, too. One that cannot be read is
// left out, as is one that goes meanwhile. It is two round trips; who asks often needs [Discovery.Watch].
func (d *Discovery) Instances(ctx context.Context, name string) ([]Instance, error) {
	if d.err != nil {
		return nil, d.err
	}
	dir := client.Join(d.base, name)
	ids, _, err := d.cl.Children(ctx, dir)
	if err != nil {
		if errors.Is(err, client.ErrNoNode) {
			return nil, nil
		}
		return nil, d.failed(err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	b := d.cl.Batch()
	for _, id := range ids {
		b.Get(client.Join(dir, id))
	}
	results, err := b.Do(ctx)
	if results == nil {
		return nil, d.failed(err)
	}
	var out []Instance
	for _, r := range results {
		switch {
		case errors.Is(r.Err, client.ErrNoNode):
			continue
		case r.Err != nil:
			return nil, d.failed(r.Err)
		}
		if i, err := Decode(r.Data); err == nil {
			out = append(out, i)
		} else {
			d.cl.Logger().Warn("an instance is left out", "path", r.Path, "err", err)
		}
	}
	return out, nil
}

// Instance reads one instance. Errors: [ErrNoInstance], [ErrBadInstance].
func (d *Discovery) Instance(ctx context.Context, name, id string) (Instance, error) {
	if d.err != nil {
		return Instance{}, d.err
	}
	data, _, err := d.cl.Get(ctx, d.path(name, id))
	if errors.Is(err, client.ErrNoNode) {
		return Instance{}, d.failed(fmt.Errorf("%w: %s has no %s", ErrNoInstance, name, id))
	}
	if err != nil {
		return Instance{}, d.failed(err)
	}
	i, err := Decode(data)
	return i, d.failed(err)
}

// randomUUID is a UUID of version 4, as Java writes it.
func randomUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // which never fails
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
