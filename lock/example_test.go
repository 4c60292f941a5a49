package lock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
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

func Example() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	stack := lock.NewMutex(cl, "/stacks/42", lock.WithIdentifier("engine-7"))
	err := stack.Do(ctx, func(ctx context.Context, held *lock.Held) error {
		// ctx ends if the lock is lost. The token goes along with every write to what
		// the lock protects.
		all, err := stack.Contenders(ctx)
		if err != nil {
			return err
		}
		fmt.Println("updating under the lock of", all[0].Identifier, all[0].Token == held.Token())
		return nil
	})
	fmt.Println("result:", err)
	// Output:
	// updating under the lock of engine-7 true
	// result: <nil>
}

func ExampleMutex_Lock() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	wait, cancel := context.WithTimeout(ctx, 5*time.Second) // for the whole wait
	defer cancel()
	held, err := lock.NewMutex(cl, "/stacks/42").Lock(wait)
	if err != nil {
		log.Fatal(err)
	}

	work := held.Context() // ends when the lock does
	fmt.Println("locked:", work.Err() == nil, held.ValidUntil().After(time.Now()))

	if err := held.Unlock(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("unlocked:", context.Cause(work))
	// Output:
	// locked: true true
	// unlocked: grant released
}

func ExampleMutex_TryLock() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	nightly := lock.NewMutex(cl, "/jobs/nightly")
	held, err := nightly.TryLock(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = nightly.TryLock(ctx)
	fmt.Println(errors.Is(err, lock.ErrBusy))
	if err := held.Unlock(ctx); err != nil {
		log.Fatal(err)
	}
	held, err = nightly.TryLock(ctx)
	fmt.Println(err)
	_ = held.Unlock(ctx)
	// Output:
	// true
	// <nil>
}

// A write to ZooKeeper that the servers refuse once the lock is gone.
func ExampleHeld_Txn() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()
	if _, err := cl.Create(ctx, "/stacks/42/state", []byte("old"), client.WithParents()); err != nil {
		log.Fatal(err)
	}

	held, err := lock.NewMutex(cl, "/stacks/42/lock").Lock(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = held.Txn().Set("/stacks/42/state", []byte("new"), client.AnyVersion).Commit(ctx)
	fmt.Println(err)

	// Somebody tidies up by hand.
	if err := cl.Delete(ctx, held.Path(), client.AnyVersion); err != nil {
		log.Fatal(err)
	}
	_, err = held.Txn().Set("/stacks/42/state", []byte("newer"), client.AnyVersion).Commit(ctx)
	fmt.Println(errors.Is(err, lock.ErrLost))
	// Output:
	// <nil>
	// true
}

// Who holds a lock, and who waits for it.
func ExampleMutex_Contenders() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	stack := lock.NewMutex(cl, "/stacks/42", lock.WithIdentifier("engine-7"))
	held, err := stack.Lock(ctx)
	if err != nil {
		log.Fatal(err)
	}
	all, err := stack.Contenders(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for i, c := range all {
		fmt.Println(i, c.Identifier, c.Kind, "persistent:", c.Persistent, "asked to let go:", c.Revoked)
	}
	fmt.Println("unlocked:", held.Unlock(ctx))
	// Output:
	// 0 engine-7 mutex persistent: false asked to let go: false
	// unlocked: <nil>
}
