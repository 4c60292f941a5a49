package zktest_test

import (
	"context"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// start gives a server and a client of it; stop ends both.
func start(ctx context.Context) (server *zktest.Server, cl *client.Client, stop func()) {
	server, err := zktest.NewServer()
	if err != nil {
		panic(err)
	}
	cl, err = client.Connect(ctx, server.Addr())
	if err != nil {
		panic(err)
	}
	return server, cl, func() {
		_ = cl.Close()
		_ = server.Close()
	}
}

// A worker's registration goes when its session does.
func Example() {
	ctx := context.Background()
	server, cl, stop := start(ctx)
	defer stop()

	_, err := cl.Create(ctx, "/worker-7", []byte("host:8080"), client.WithMode(client.Ephemeral))
	_, there := server.Node("/worker-7")
	fmt.Println("registered:", there, err)

	server.ExpireSession(cl.State().SessionID)
	_, there = server.Node("/worker-7")
	fmt.Println("registered:", there)
	// Output:
	// registered: true <nil>
	// registered: false
}

// The reply to a create is lost: the client is left not knowing and says so, and the
// node is there.
func ExampleServer_SwallowReply() {
	ctx := context.Background()
	server, cl, stop := start(ctx)
	defer stop()

	lost := server.SwallowReply(zktest.On("/job-*", zktest.Creates()...))
	_, err := cl.Create(ctx, "/job-", nil, client.WithMode(client.PersistentSequential))
	<-lost.Fired()
	_, there := server.Node("/job-0000000000")
	fmt.Println("outcome:", client.Outcome(err))
	fmt.Println("created:", there)
	// Output:
	// outcome: unknown
	// created: true
}
