package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/zktest"
)

// fallback is the line that says why the servers are not real ones.
const fallback = "neither a Docker engine nor Java with ZooKeeper's jars is here: the workers use the EMBEDDED server, zktest (make demo REAL=1 insists on a real one)"

// asking are the variables by which somebody asks for certain real servers. Where one is
// set, nothing takes their place.
var asking = []string{"ZOOKIT_TEST_PROVIDER", "ZOOKIT_TEST_SERVERS", "ZOOKEEPER_HOME"}

// kind is what the caller wants the servers to be.
type kind int

const (
	whatIsHere kind = iota // real ones where they can be run
	realOnes
	embedded
)

// servers are what the workers connect to.
type servers struct {
	connect string
	name    string // for the reader
	close   func() error
}

// openServers starts n servers. Embedded ones live in this process, and the workers reach
// them through loopback ports like any others.
func openServers(ctx context.Context, want kind, n int) (*servers, error) {
	if want == embedded {
		return openEmbedded(n)
	}
	s, err := openReal(ctx, n)
	if want == realOnes || !errors.Is(err, ensemble.ErrNoProvider) {
		return s, err
	}
	for _, name := range asking {
		if os.Getenv(name) != "" {
			return nil, fmt.Errorf("%w\n%s is set, so that the embedded server is not used instead", err, name)
		}
	}
	fmt.Println(fallback)
	return openEmbedded(n)
}

func openReal(ctx context.Context, n int) (*servers, error) {
	e, err := ensemble.Open(ctx, n)
	if err != nil {
		return nil, err
	}
	version, err := e.Version(ctx)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return &servers{
		connect: e.Connect(),
		name:    fmt.Sprintf("ZooKeeper %s (%s)", version, e.Provider()),
		close:   e.Close,
	}, nil
}

func openEmbedded(n int) (*servers, error) {
	s, err := zktest.NewServer(zktest.WithServers(n))
	if err != nil {
		return nil, err
	}
	return &servers{connect: s.ConnectString(), name: "embedded server (zktest)", close: s.Close}, nil
}
