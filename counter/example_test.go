package counter_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

// connectExample connects to a ZooKeeper in this process; a program passes the addresses of its
// ensemble to client.Connect.
func connectExample(ctx context.Context) (*client.Client, func()) {
	srv, err := zktest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	cl, err := client.Connect(ctx, srv.Addr())
	if err != nil {
		log.Fatal(err)
	}
	return cl, func() {
		_ = cl.Close()
		_ = srv.Close()
	}
}

// Goroutines, or processes, count together.
func ExampleCounter() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	hits := counter.New(cl, "/stats/hits")
	var workers sync.WaitGroup
	for range 10 {
		workers.Go(func() {
			if _, err := hits.Add(ctx, 2); err != nil {
				log.Fatal(err) // client.Outcome(err) tells whether it may have been added
			}
		})
	}
	workers.Wait()
	fmt.Println(hits.Value(ctx))
	// Output: 20 <nil>
}

// A number that Kazoo's Counter counts too.
func ExampleWithLayout() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	n, err := counter.New(cl, "/counter", counter.WithLayout(counter.Text)).Add(ctx, -3)
	data, _, _ := cl.Get(ctx, "/counter")
	fmt.Println(n, err, string(data))
	// Output: -3 <nil> -3
}

// The highest bid wins.
func ExampleSharedValue_Update() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	best := counter.NewSharedValue(cl, "/auction/best")
	for _, bid := range []string{"120", "150", "130"} {
		now, err := best.Update(ctx, func(old []byte) ([]byte, error) {
			return []byte(max(string(old), bid)), nil
		})
		fmt.Println(string(now.Data), err)
	}
	// Output:
	// 120 <nil>
	// 150 <nil>
	// 150 <nil>
}
