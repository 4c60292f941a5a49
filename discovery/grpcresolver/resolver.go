package grpcresolver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/resolver"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
)

// Scheme is that of targets: "zookeeper:///billing" is the service billing.
const Scheme = "zookeeper"

// Option changes what [NewBuilder] returns.
type Option func(*builder)

// WithAddress says where an instance listens for gRPC, as "host:port", or "" if it does not: then it is left out. The
// default is discovery.Instance.HostPort. It is called whenever instances change, on a goroutine of the connection, and
// must be safe for concurrent use. Nil is the default.
func WithAddress(address func(discovery.Instance) string) Option {
	return func(b *builder) {
		if address != nil {
			b.address = address
		}
	}
}

// WithScheme sets another scheme than [Scheme], for programs with several discoveries. It has to be in small letters.
func WithScheme(scheme string) Option { return func(b *builder) { b.scheme = scheme } }

// NewBuilder returns a builder for grpc.WithResolvers, or for resolver.Register. Safe for concurrent use.
func NewBuilder(d *discovery.Discovery, opts ...Option) resolver.Builder {
	b := &builder{d: d, scheme: Scheme, address: func(i discovery.Instance) string {
		at, ok := i.HostPort()
		if !ok {
			return ""
		}
		return at
	}}
	for _, opt := range opts {
		opt(b)
	}
	return b
}

type builder struct {
	d       *discovery.Discovery
	scheme  string
	address func(discovery.Instance) string
}

// Scheme implements resolver.Builder.
func (b *builder) Scheme() string { return b.scheme }

// Build implements resolver.Builder.
func (b *builder) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	name := target.Endpoint()
	switch {
	case b.d == nil:
		return nil, fmt.Errorf("grpcresolver: %w: the discovery is nil", client.ErrBadArgument)
	case target.URL.Host != "" || name == "" || strings.Contains(name, "/"):
		return nil, fmt.Errorf("grpcresolver: %w: target %q: use %s:///name-of-the-service", client.ErrBadArgument, target.URL.String(), b.scheme)
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // gRPC has none; Close ends it
	r := &follower{b: b, name: name, cc: cc, cancel: cancel, ended: make(chan struct{})}
	go r.run(ctx)
	return r, nil
}

// follower is the resolver of one connection.
type follower struct {
	b      *builder
	name   string
	cc     resolver.ClientConn
	cancel context.CancelFunc
	ended  chan struct{}
}

// ResolveNow implements resolver.Resolver. There is nothing to do: what changes is heard of at once.
func (f *follower) ResolveNow(resolver.ResolveNowOptions) {}

// Close implements resolver.Resolver; it waits for the goroutine, which no call of gRPC's holds up.
func (f *follower) Close() {
	f.cancel()
	<-f.ended
}

// What is refused, by an ACL for example, is tried again after pauses of this length.
const (
	pauseFirst = 100 * time.Millisecond
	pauseMost  = 10 * time.Second
)

// run follows the service until the connection is closed, or the client is.
func (f *follower) run(ctx context.Context) {
	defer close(f.ended)
	for pause := pauseFirst; ; pause = min(2*pause, pauseMost) {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		f.cc.ReportError(err)
		if errors.Is(err, client.ErrClosed) {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// follow tells gRPC of the instances for as long as it can, and returns why it cannot any more.
func (f *follower) follow(ctx context.Context) error {
	s, err := f.b.d.Watch(ctx, f.name)
	if err != nil {
		return err
	}
	defer s.Close()
	for instances, uerr := range s.Updates(ctx) {
		if err = uerr; err != nil {
			continue // it may go on; if it is the last one it is returned
		}
		// An error says that the balancer cannot use the state, which happens when there is no instance: gRPC tells those who call.
		_ = f.cc.UpdateState(f.state(instances))
	}
	if err == nil {
		err = fmt.Errorf("%w: the list of %s was closed", client.ErrClosed, f.name)
	}
	return err
}

func (f *follower) state(instances []discovery.Instance) resolver.State {
	state := resolver.State{Endpoints: []resolver.Endpoint{}}
	for _, i := range instances {
		at := ""
		if !i.Disabled {
			at = f.b.address(i)
		}
		if at == "" {
			continue
		}
		a := resolver.Address{Addr: at}
		state.Addresses = append(state.Addresses, a)
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{a}, Attributes: attributes.New(key{}, described{i})})
	}
	return state
}

type key struct{}

// described makes an instance one that attributes can compare.
type described struct{ discovery.Instance }

// Equal is used by attributes.Attributes.
func (c described) Equal(other any) bool {
	o, ok := other.(described)
	if !ok {
		return false
	}
	a, aerr := discovery.Encode(c.Instance, true)
	b, berr := discovery.Encode(o.Instance, true)
	return aerr == nil && berr == nil && bytes.Equal(a, b)
}

// InstanceOf returns the instance that an endpoint stands for: for load balancing policies that look at payloads.
func InstanceOf(e resolver.Endpoint) (discovery.Instance, bool) {
	c, ok := e.Attributes.Value(key{}).(described)
	return c.Instance, ok
}
