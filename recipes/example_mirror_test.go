package recipes_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// The workers that are there, and those that come.
func ExampleStartMirror() {
	ctx := context.Background()
	srv, err := zktest.NewServer(zktest.WithFixture(`{"/workers": {"/a": "10.0.0.1"}}`)) // a program connects to its ensemble
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	cl, err := client.Connect(ctx, srv.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = cl.Close() }()

	workers, err := recipes.StartMirror(ctx, cl, "/workers", recipes.MirrorConfig{Depth: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer workers.Close()
	fmt.Println("there:", workers.Snapshot().Children("/workers"))

	for c, err := range workers.Changes(ctx) {
		switch {
		case err != nil:
			log.Fatal(err)
		case c.Kind == recipes.MirrorResynced:
			if _, err := cl.Create(ctx, "/workers/b", []byte("10.0.0.2")); err != nil {
				log.Fatal(err)
			}
		case c.Path == "/workers/b":
			fmt.Printf("%s: %s at %s\n", c.Kind, c.Path, c.New.Data)
			return
		}
	}
	// Output:
	// there: [a]
	// added: /workers/b at 10.0.0.2
}
