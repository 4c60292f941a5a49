package lock_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// A service is restarted and keeps its lock. In a program the two texts are files that only
// their owner may read, and the two halves are two processes.
func ExampleResume() {
	ctx := context.Background()
	srv, err := zktest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	sessionText, lockText := func() (session, held []byte) {
		cl, err := client.Connect(ctx, srv.Addr())
		if err != nil {
			log.Fatal(err)
		}
		h, err := lock.NewMutex(cl, "/stacks/42").Lock(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("locked")
		handle, err := cl.Detach(ctx) // the work is done; h.Context ends here
		if err != nil {
			log.Fatal(err)
		}
		session, _ = handle.MarshalText()
		held, _ = h.Handle().MarshalText()
		return session, held
	}()

	var session client.SessionHandle
	var handle recipes.GrantHandle
	if err := session.UnmarshalText(sessionText); err != nil {
		log.Fatal(err)
	}
	if err := handle.UnmarshalText(lockText); err != nil {
		log.Fatal(err)
	}
	cl, err := client.Connect(ctx, srv.Addr(), client.WithSession(session))
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()
	held, err := lock.Resume(ctx, cl, handle)
	if err != nil {
		log.Fatal(err) // lock.ErrLost: the session was over, for example
	}
	fmt.Println("held again:", held.Token() == handle.Token(), held.Err())
	fmt.Println("unlocked:", held.Unlock(ctx))
	// Output:
	// locked
	// held again: true <nil>
	// unlocked: <nil>
}
