package lock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/zookit/zookit/lock"
)

// An hourly job stays on one machine, and moves to another when that one has not come back in time.
func ExampleLease() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	here := lock.NewLease(cl, "/db_leases/hourly_cleanup", 70*time.Minute, lock.WithHolder("web-3"))
	taken, err := here.TryTake(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("taken:", taken.Err() == nil, taken.Context().Err())

	there := lock.NewLease(cl, "/db_leases/hourly_cleanup", 70*time.Minute, lock.WithHolder("web-4"))
	_, err = there.TryTake(ctx)
	if busy, ok := errors.AsType[*lock.LeaseBusyError](err); ok {
		fmt.Println("busy:", busy.Holder)
	}

	fmt.Println("renewed:", taken.Renew(ctx))
	fmt.Println("released:", taken.Release(ctx))
	// Output:
	// taken: true <nil>
	// busy: web-3
	// renewed: <nil>
	// released: <nil>
}

// At most two hosts run a task at a time.
func ExampleMultiLease() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	for _, host := range []string{"web-1", "web-2", "web-3"} {
		_, err := lock.NewMultiLease(cl, "/db_leases/reindex", 2, time.Hour, lock.WithHolder(host)).TryTake(ctx)
		fmt.Println(host, "busy:", errors.Is(err, lock.ErrBusy))
	}
	// Output:
	// web-1 busy: false
	// web-2 busy: false
	// web-3 busy: true
}
