package zktest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
)

// update is the service under test. It works for as long as it has the lock.
func update(ctx context.Context, cl *client.Client, working chan<- struct{}) error {
	return lock.NewMutex(cl, "/stacks/42").Do(ctx, func(ctx context.Context, _ *lock.Held) error {
		close(working)
		<-ctx.Done() // the work; it stops when the lock is lost
		return context.Cause(ctx)
	})
}

// A service loses its lock in the middle of its work: it has to stop, and somebody else
// gets the lock.
func Example_lostLock() {
	ctx := context.Background()
	server, cl, stop := start(ctx)
	defer stop()

	working, result := make(chan struct{}), make(chan error)
	go func() { result <- update(ctx, cl, working) }()
	<-working
	server.ExpireSession(cl.State().SessionID) // as if it had been silent for too long
	fmt.Println("stopped, since the lock is lost:", errors.Is(<-result, lock.ErrLost))

	other, err := client.Connect(ctx, server.Addr())
	if err != nil {
		panic(err)
	}
	defer other.Close()
	err = lock.NewMutex(other, "/stacks/42").Do(ctx, func(context.Context, *lock.Held) error {
		fmt.Println("somebody else has the lock")
		return nil
	})
	fmt.Println("error:", err)
	// Output:
	// stopped, since the lock is lost: true
	// somebody else has the lock
	// error: <nil>
}
