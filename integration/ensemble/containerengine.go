package ensemble

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// engineTimeout bounds how long an engine may take to answer, and to let go of
// what dead runs have left.
const engineTimeout = 15 * time.Second

// containerEngine is the Docker engine of this process.
type containerEngine struct {
	api *testcontainers.DockerClient

	host string     // where clients reach published ports
	bind netip.Addr // where ports are published

	images once[string]
}

var theEngine once[*containerEngine]

// openEngine returns the engine, or why there is none. It finds that out once
// for the process.
func openEngine(ctx context.Context) (*containerEngine, error) {
	return theEngine.get(ctx, func() (*containerEngine, error) {
		ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
		defer cancel()
		e, err := newEngine(ctx)
		if err != nil {
			return nil, fmt.Errorf("containers: no Docker engine answers: %w; start one (on Debian: apt-get install docker.io) or set DOCKER_HOST", err)
		}
		return e, nil
	})
}

func newEngine(ctx context.Context) (*containerEngine, error) {
	// Ryuk, which removes what dead runs leave, is an image that has to be
	// pulled; sweep does its work without one. Who wants Ryuk says so.
	const ryuk = "TESTCONTAINERS_RYUK_DISABLED"
	if _, said := os.LookupEnv(ryuk); !said {
		if err := os.Setenv(ryuk, "true"); err != nil {
			return nil, err
		}
	}
	tclog.SetDefault(tclog.NewNoopLogger())
	api, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	defer api.Close() // idle connections only
	if _, err := api.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, err
	}
	e := &containerEngine{api: api}
	if e.host, e.bind, err = published(api.DaemonHost()); err != nil {
		return nil, err
	}
	if err := e.sweep(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// published tells where ports are to be published and where clients then find
// them: on the loopback address where the engine is on this machine. Inside a
// container that shares the engine's socket that is wrong, and has to be said in
// the way of testcontainers.
func published(daemon string) (string, netip.Addr, error) {
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	host := os.Getenv("TESTCONTAINERS_HOST_OVERRIDE")
	if host == "" {
		u, err := url.Parse(daemon)
		if err != nil {
			return "", netip.Addr{}, errors.New("find the host of the engine: its address is no URL; correct DOCKER_HOST or set TESTCONTAINERS_HOST_OVERRIDE")
		}
		switch u.Scheme {
		case "unix", "npipe":
			return loopback.String(), loopback, nil
		case "tcp", "http", "https":
			host = u.Hostname()
		default:
			return "", netip.Addr{}, fmt.Errorf("find the host of the engine at %s: scheme %q is not known; set TESTCONTAINERS_HOST_OVERRIDE to where published ports are reached", u.Redacted(), u.Scheme)
		}
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return loopback.String(), loopback, nil
	}
	return host, netip.IPv4Unspecified(), nil
}

// unbroken is for calls that make or remove something in the engine. Broken off, they may
// leave behind what the engine has made and not yet named; they take a second at
// most, so that ctx is looked at afterwards instead.
func unbroken(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// once finds out a value once for the process. The work goes on if a caller
// gives up on it: others wait for it, too. It must end by itself.
type once[T any] struct {
	begin sync.Once
	done  chan struct{}
	value T
	err   error
}

func (o *once[T]) get(ctx context.Context, find func() (T, error)) (T, error) {
	o.begin.Do(func() {
		o.done = make(chan struct{})
		go func() {
			defer close(o.done)
			o.value, o.err = find()
		}()
	})
	select {
	case <-o.done:
		return o.value, o.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}
