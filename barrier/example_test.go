package barrier_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
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

// Workers are held back during a migration.
func ExampleBarrier() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	gate := barrier.New(cl, "/jobs/migration")
	created, err := gate.Create(ctx)
	fmt.Println("closed by this call:", created, err)

	var workers sync.WaitGroup
	workers.Go(func() {
		if err := gate.Wait(ctx); err != nil {
			log.Fatal(err)
		}
		fmt.Println("a worker goes on")
	})

	removed, err := gate.Remove(ctx)
	workers.Wait()
	fmt.Println("opened by this call:", removed, err)
	// Output:
	// closed by this call: true <nil>
	// a worker goes on
	// opened by this call: true <nil>
}

// Three workers compute in steps; none begins a step before all have ended the one before.
func ExampleDouble() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	var mu sync.Mutex
	sums := make(map[int]int)
	var workers sync.WaitGroup
	for range 3 { // in a program these are processes
		workers.Go(func() {
			d := barrier.NewDouble(cl, "/jobs/step", 3)
			for step := range 2 {
				in, err := d.Enter(ctx)
				if err != nil {
					log.Fatal(err)
				}
				mu.Lock() // the work, which would look at in.Context()
				sums[step]++
				mu.Unlock()
				if err := in.Leave(ctx); err != nil {
					log.Fatal(err) // barrier.ErrLost: the others did not wait for this one
				}
			}
		})
	}
	workers.Wait()
	fmt.Println(sums)
	// Output: map[0:3 1:3]
}
