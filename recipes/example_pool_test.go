package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// Permits behind a line: the limit is kept in the pool's node.
func ExamplePool() {
	ctx := context.Background()
	srv, err := zktest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	cl, err := client.Connect(ctx, srv.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()

	pool, err := recipes.NewPool(cl, "/pools/backup", recipes.PoolConfig{Limit: 3})
	if err != nil {
		log.Fatal(err)
	}
	g, err := pool.Acquire(ctx, 2)
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.TryAcquire(ctx, 2)
	fmt.Println(len(g.Paths()), "held; two more:", errors.Is(err, recipes.ErrBusy))
	if err := pool.SetLimit(ctx, 4); err != nil {
		log.Fatal(err)
	}
	h, err := pool.Acquire(ctx, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("after raising the limit:", h.Token() > g.Token())
	fmt.Println(g.Release(ctx), h.Release(ctx))
	// Output:
	// 2 held; two more: true
	// after raising the limit: true
	// <nil> <nil>
}
