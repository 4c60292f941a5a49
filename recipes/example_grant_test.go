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

// exampleClient connects to a ZooKeeper in this process; a program passes the addresses of its
// ensemble to client.Connect.
func exampleClient(ctx context.Context) (*client.Client, func()) {
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

func exampleLine(cl *client.Client, path string) *recipes.Line {
	line, err := recipes.NewLine(cl, path, recipes.LineConfig{Data: []byte("worker-7")})
	if err != nil {
		log.Fatal(err)
	}
	return line
}

// What is held guards writes: to ZooKeeper by a transaction that the servers refuse once it is gone, and
// elsewhere by a token that only grows.
func ExampleGrant() {
	ctx := context.Background()
	cl, done := exampleClient(ctx)
	defer done()
	line := exampleLine(cl, "/turns")

	first, err := line.Acquire(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = first.Txn().Create("/written", []byte("by the first")).Commit(ctx)
	fmt.Println("written:", err)
	if err := first.Release(ctx); err != nil {
		log.Fatal(err)
	}
	second, err := line.Acquire(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = first.Txn().Set("/written", []byte("too late"), client.AnyVersion).Commit(ctx)
	fmt.Println("refused:", errors.Is(err, recipes.ErrReleased))
	fmt.Println("a greater token:", second.Token() > first.Token())
	fmt.Println("released:", second.Release(ctx))
	// Output:
	// written: <nil>
	// refused: true
	// a greater token: true
	// released: <nil>
}

// A holding that outlives its process, taken up by another.
func ExamplePersistent() {
	ctx := context.Background()
	cl, done := exampleClient(ctx)
	defer done()

	begun, err := exampleLine(cl, "/turns").AcquirePersistent(ctx)
	if err != nil {
		log.Fatal(err)
	}
	written, err := begun.Handle().MarshalText()
	if err != nil {
		log.Fatal(err)
	}

	var handle recipes.PersistentHandle
	if err := handle.UnmarshalText(written); err != nil {
		log.Fatal(err)
	}
	held, err := recipes.OpenPersistent(ctx, cl, handle)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("held:", held.Check(ctx))
	fmt.Println("released:", held.Release(ctx))
	fmt.Println("lost to the one who began it:", errors.Is(begun.Check(ctx), recipes.ErrGrantLost))
	// Output:
	// held: <nil>
	// released: <nil>
	// lost to the one who began it: true
}

// A layout says which children of a directory are contenders, and which place they have.
func ExampleLayout() {
	for _, name := range []string{
		"_c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-lock-0000000042",
		"3b1ecdd01f374e4a8a0b0f1a4f0b5a11__lock__0000000007",
	} {
		for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
			if kind, seq, ok := layout.Parse(name, recipes.KindMutex); ok {
				fmt.Println(layout, kind, int32(seq))
			}
		}
	}
	// Output:
	// curator mutex 42
	// kazoo mutex 7
}

// A node of one's own is deleted whatever becomes of the call that wanted it gone.
func ExampleRemoval() {
	ctx := context.Background()
	cl, done := exampleClient(ctx)
	defer done()
	session, err := cl.Session(ctx)
	if err != nil {
		log.Fatal(err)
	}
	made, err := session.Create(ctx, "/here", nil, client.WithMode(client.Ephemeral))
	if err != nil {
		log.Fatal(err)
	}

	over, cancel := context.WithCancel(ctx)
	cancel()
	removal := recipes.Remove(session, made.Path, nil)
	_ = removal.Wait(over) // there is no time to wait for it, and it goes on
	fmt.Println(removal.Wait(ctx), removal.Gone())
	// Output: <nil> true
}
