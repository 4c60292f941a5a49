package lock_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/zookit/zookit/lock"
)

// A function that works under the lock, on its own or as a part of something greater that holds
// it already.
func ExampleHeld_Again() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()
	stack := lock.NewMutex(cl, "/stacks/42")

	resize := func(ctx context.Context, outer *lock.Held) error {
		var held *lock.Held
		var err error
		if outer != nil {
			held, err = outer.Again()
		} else {
			held, err = stack.Lock(ctx)
		}
		if err != nil {
			return err
		}
		defer func() { _ = held.Unlock(context.WithoutCancel(ctx)) }()
		fmt.Println("resized under the lock:", held.Err() == nil)
		return nil
	}

	if err := resize(ctx, nil); err != nil {
		log.Fatal(err)
	}
	err := stack.Do(ctx, func(ctx context.Context, held *lock.Held) error {
		if err := resize(ctx, held); err != nil {
			return err
		}
		fmt.Println("held on:", held.Err() == nil)
		return nil
	})
	fmt.Println("result:", err)
	// Output:
	// resized under the lock: true
	// resized under the lock: true
	// held on: true
	// result: <nil>
}

// Work that can be put off makes way for somebody who asks.
func ExampleHeld_Revoked() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()
	stack := lock.NewMutex(cl, "/stacks/42")

	errPutOff := errors.New("put off")
	err := stack.Do(ctx, func(ctx context.Context, held *lock.Held) error {
		asked := held.Revoked()

		// In another process:
		all, err := stack.Contenders(ctx)
		if err != nil {
			return err
		}
		if err := stack.Revoke(ctx, all[0]); err != nil {
			return err
		}

		select {
		case <-asked:
			return errPutOff // after saving how far it got
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	fmt.Println(err)
	// Output: put off
}

// A migration is begun by one process and ended by another, perhaps days later.
func ExampleMutex_LockPersistent() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()
	stack := lock.NewMutex(cl, "/stacks/42", lock.WithIdentifier("migration 7"))

	begun, err := stack.LockPersistent(ctx)
	if err != nil {
		log.Fatal(err)
	}
	handle := begun.Handle() // to be written down: handle.MarshalText

	// Meanwhile, whoever looks:
	all, err := stack.Contenders(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(all[0].Identifier, all[0].Persistent)

	// In the other process:
	held, err := lock.OpenPersistent(ctx, cl, handle)
	if err != nil {
		log.Fatal(err) // lock.ErrLost: somebody has broken it
	}
	fmt.Println("unlocked:", held.Unlock(ctx))
	// Output:
	// migration 7 true
	// unlocked: <nil>
}
