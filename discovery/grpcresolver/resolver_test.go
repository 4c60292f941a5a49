package grpcresolver_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
	"google.golang.org/grpc/status"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/discovery/grpcresolver"
	"github.com/zookit/zookit/zktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for an event that has to come.
const patience = time.Minute

func connect(t *testing.T, srv *zktest.Server) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// backend is a server of gRPC that counts its calls.
type backend struct {
	port  int
	calls atomic.Int64
}

func serve(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	s := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		b.calls.Add(1)
		return next(ctx, req)
	}))
	healthpb.RegisterHealthServer(s, health.NewServer())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b.port = l.Addr().(*net.TCPAddr).Port
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return b
}

func register(t *testing.T, cl *client.Client, id string, port int) *discovery.Registration {
	t.Helper()
	r, err := discovery.New(cl, "/services").Register(bounded(t), discovery.Instance{Name: "health", ID: id, Address: "127.0.0.1", Port: port})
	require.NoError(t, err)
	return r
}

func dial(t *testing.T, d *discovery.Discovery, opts ...grpcresolver.Option) healthpb.HealthClient {
	t.Helper()
	conn, err := grpc.NewClient("zookeeper:///health", grpc.WithResolvers(grpcresolver.NewBuilder(d, opts...)),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return healthpb.NewHealthClient(conn)
}

// Instances come and go, and calls follow: none fails meanwhile.
func TestCallsFollow(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	a, b := serve(t), serve(t)
	regA := register(t, cl, "a", a.port)
	stub := dial(t, discovery.New(connect(t, srv), "/services"))
	call := func() {
		t.Helper()
		_, err := stub.Check(bounded(t), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		require.NoError(t, err)
	}
	// until calls until the backend takes calls, or takes none any more: ten in a row go elsewhere.
	until := func(b *backend, takes bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			before := b.calls.Load()
			for range 10 {
				call()
			}
			return (b.calls.Load() > before) == takes
		}, patience, time.Millisecond)
	}
	until(a, true)
	regB := register(t, cl, "b", b.port)
	until(b, true)
	until(a, true)
	require.NoError(t, regA.Unregister(bounded(t)))
	until(a, false)
	register(t, cl, "a", a.port)
	until(a, true)
	off := regB.Instance()
	off.Disabled = true
	require.NoError(t, regB.Update(bounded(t), off))
	until(b, false)

	// What happens to the connection to ZooKeeper does not matter to calls.
	srv.DropConnections()
	srv.Refuse()
	for range 20 {
		call()
	}
	srv.Accept()
	off.Disabled = false
	require.NoError(t, regB.Update(bounded(t), off))
	until(b, true)
}

// Without an instance calls fail at once, or wait for one.
func TestNoInstance(t *testing.T) {
	srv := zktest.Start(t)
	stub := dial(t, discovery.New(connect(t, srv), "/services"))
	_, err := stub.Check(bounded(t), &healthpb.HealthCheckRequest{})
	require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	waits := make(chan error, 1)
	go func() {
		_, err := stub.Check(bounded(t), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		waits <- err
	}()
	register(t, connect(t, srv), "a", serve(t).port)
	require.NoError(t, <-waits)
}

// conn records what a resolver says.
type conn struct {
	states chan resolver.State
	errs   chan error
}

func (c *conn) UpdateState(s resolver.State) error {
	c.states <- s
	return nil
}
func (c *conn) ReportError(err error)         { c.errs <- err }
func (c *conn) NewAddress([]resolver.Address) {}
func (c *conn) ParseServiceConfig(string) *serviceconfig.ParseResult {
	return nil
}

func target(t *testing.T, text string) resolver.Target {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return resolver.Target{URL: *u}
}

// Endpoints tell their instances; who listens nowhere is left out; what is refused is reported, and tried again.
func TestEndpoints(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	register(t, cl, "a", 80)
	register(t, cl, "none", 0)
	d := discovery.New(connect(t, srv), "/services")
	srv.FailNext(zktest.On("/services/health", zktest.OpGetData), zktest.NoAuth)
	cc := &conn{states: make(chan resolver.State, 10), errs: make(chan error, 10)}
	b := grpcresolver.NewBuilder(d, grpcresolver.WithScheme("zk"), grpcresolver.WithAddress(nil))
	require.Equal(t, "zk", b.Scheme())
	r, err := b.Build(target(t, "zk:///health"), cc, resolver.BuildOptions{})
	require.NoError(t, err)
	require.ErrorIs(t, <-cc.errs, client.ErrNoAuth)
	s := <-cc.states
	require.Len(t, s.Endpoints, 1)
	i, ok := grpcresolver.InstanceOf(s.Endpoints[0])
	require.True(t, ok)
	require.Equal(t, "a", i.ID)
	require.Equal(t, "127.0.0.1:80", s.Endpoints[0].Addresses[0].Addr)
	register(t, cl, "b", 81)
	later := <-cc.states
	require.Len(t, later.Endpoints, 2)
	require.True(t, later.Endpoints[0].Attributes.Equal(s.Endpoints[0].Attributes))
	require.False(t, later.Endpoints[1].Attributes.Equal(s.Endpoints[0].Attributes))
	_, ok = grpcresolver.InstanceOf(resolver.Endpoint{})
	require.False(t, ok)
	r.ResolveNow(resolver.ResolveNowOptions{})
	r.Close()
	require.Eventually(t, func() bool { return srv.Watches() <= 3 }, patience, time.Millisecond, "the registrations' are left")
}

// The client is closed: that is said, and the resolver can still be closed.
func TestClientClosed(t *testing.T) {
	srv := zktest.Start(t)
	cl := connect(t, srv)
	cc := &conn{states: make(chan resolver.State, 10), errs: make(chan error, 10)}
	r, err := grpcresolver.NewBuilder(discovery.New(cl, "/services")).Build(target(t, "zookeeper:///health"), cc, resolver.BuildOptions{})
	require.NoError(t, err)
	require.Empty(t, (<-cc.states).Endpoints)
	require.NoError(t, cl.Close())
	require.ErrorIs(t, <-cc.errs, client.ErrClosed)
	r.Close()
}

func TestBadTargets(t *testing.T) {
	d := discovery.New(connect(t, zktest.Start(t)), "/services")
	for _, text := range []string{"zookeeper:///", "zookeeper://host/health", "zookeeper:///a/b"} {
		_, err := grpcresolver.NewBuilder(d).Build(target(t, text), &conn{}, resolver.BuildOptions{})
		require.ErrorIs(t, err, client.ErrBadArgument, text)
	}
	_, err := grpcresolver.NewBuilder(nil).Build(target(t, "zookeeper:///a"), &conn{}, resolver.BuildOptions{})
	require.ErrorIs(t, err, client.ErrBadArgument)
}

func ExampleNewBuilder() {
	fmt.Println(grpcresolver.NewBuilder(nil).Scheme())
	// Output: zookeeper
}
