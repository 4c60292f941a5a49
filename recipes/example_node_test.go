package recipes_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func ExampleKeepNode() {
	srv, err := zktest.NewServer() // in place of an ensemble
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	ctx := context.Background()
	cl, err := client.Connect(ctx, srv.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()

	node, err := recipes.KeepNode(ctx, cl, "/services/web/10.0.0.7", recipes.NodeConfig{Data: []byte("starting")})
	if err != nil {
		log.Fatal(err)
	}
	if err := node.Set(ctx, []byte("serving")); err != nil {
		log.Fatal(err)
	}
	made := node.State().Czxid

	// The session is lost, and the node with it; it is made again, as it was.
	srv.ExpireSession(node.State().Session)
	for change := range node.States(ctx) {
		if change.State == recipes.NodePresent && change.Czxid > made {
			break
		}
	}
	data, _, err := cl.Get(ctx, node.Path())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", data)
	if err := node.Close(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: serving
}
