package admin_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/zookit/zookit/client/admin"
	"github.com/zookit/zookit/zktest"
)

// A health page: every server of the list, with what it is or why it does not answer.
func Example() {
	server, err := zktest.NewServer() // a ZooKeeper in this process
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	ctx := context.Background()

	servers, err := admin.NewServers(server.Addr() + "/app") // a list as client.Connect takes it
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range admin.All(ctx, servers, (*admin.Server).Srvr) {
		switch {
		case errors.Is(a.Err, admin.ErrNotServing):
			fmt.Println(a.Server, "has no quorum")
		case a.Err != nil:
			fmt.Println(a.Err)
		default:
			fmt.Println(a.Value.Mode, a.Value.Version, "with", a.Value.Outstanding, "requests waiting")
		}
	}
	// Output:
	// standalone 3.8.0 with 0 requests waiting
}
