package lock_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/zookit/zookit/lock"
)

// At most three backups run at once, in all processes together; a large one counts as two.
func ExampleSemaphore() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	backups := lock.NewSemaphore(cl, "/backups", 3, lock.WithIdentifier("engine-7"))
	err := backups.Do(ctx, 2, func(ctx context.Context, _ *lock.Held) error {
		_, err := backups.TryAcquire(ctx, 2) // ctx ends if the permits are lost
		fmt.Println("another large one:", errors.Is(err, lock.ErrBusy))
		small, err := backups.Acquire(ctx, 1)
		if err != nil {
			return err
		}
		holders, err := backups.Holders(ctx)
		if err != nil {
			return err
		}
		for _, h := range holders {
			fmt.Println(h.Identifier, h.Permits)
		}
		return small.Unlock(ctx)
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// another large one: true
	// engine-7 2
	// engine-7 1
}
