package lock_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
)

func ExampleRWMutex() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()
	limits := lock.NewRWMutex(cl, "/limits")

	a, err := limits.RLock(ctx)
	if err != nil {
		log.Fatal(err)
	}
	b, err := limits.RLock(ctx) // readers share
	if err != nil {
		log.Fatal(err)
	}
	_, err = limits.TryLock(ctx)
	fmt.Println("a writer beside readers:", errors.Is(err, lock.ErrBusy))
	_, _ = a.Unlock(ctx), b.Unlock(ctx)

	fmt.Println(limits.Do(ctx, func(ctx context.Context, _ *lock.Held) error {
		_, err := limits.TryRLock(ctx)
		fmt.Println("a reader beside a writer:", errors.Is(err, lock.ErrBusy))
		return nil
	}))
	// Output:
	// a writer beside readers: true
	// a reader beside a writer: true
	// <nil>
}

// What was written is read again before anybody else can write.
func ExampleRWMutex_Downgrade() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()
	limits := lock.NewRWMutex(cl, "/limits")

	writing, err := limits.Lock(ctx)
	if err != nil {
		log.Fatal(err)
	}
	// Work on writing.Context() that changes the limits.
	reading, err := limits.Downgrade(ctx, writing)
	if err != nil {
		log.Fatal(err) // then nothing is held, unless writing.Err() is nil
	}
	fmt.Println("writing:", writing.Err())
	fmt.Println("reading:", reading.Err(), reading.Token() == writing.Token())
	other, err := limits.TryRLock(ctx)
	fmt.Println("another reader:", err)
	_, _ = other.Unlock(ctx), reading.Unlock(ctx)
	// Output:
	// writing: grant released: it was downgraded
	// reading: <nil> true
	// another reader: <nil>
}

// Two accounts, locked in one order whatever the order in which they are named.
func ExampleMulti() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	both := lock.NewMulti(lock.NewMutex(cl, "/accounts/7"), lock.NewMutex(cl, "/accounts/3"))
	err := both.Do(ctx, func(ctx context.Context, held *lock.MultiHeld) error {
		// ctx ends if one of them is lost.
		fmt.Println(held.Paths())
		if _, err := cl.Create(ctx, "/transfers", nil); err != nil {
			return err
		}
		// Written if both are still held, not otherwise.
		from, to := held.Held("/accounts/7"), held.Held("/accounts/3")
		_, err := from.Txn().Check(to.Path(), client.AnyVersion).Create("/transfers/1", []byte("7 -> 3: 10")).Commit(ctx)
		return err
	})
	fmt.Println(err)
	// Output:
	// [/accounts/3 /accounts/7]
	// <nil>
}
