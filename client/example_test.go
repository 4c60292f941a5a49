package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// ensemble starts the server that the examples talk to. Programs name theirs instead:
// "zk1:2181,zk2:2181,zk3:2181/app".
func ensemble() (servers string, stop func()) {
	srv, err := zktest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	return srv.Addr(), func() { _ = srv.Close() }
}

func Example() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()

	cl, err := client.Connect(ctx, servers+"/app", client.WithSessionTimeout(10*time.Second), client.WithCreateChroot())
	if err != nil {
		log.Fatal(err) // says which server failed how
	}
	defer cl.Close()

	made, err := cl.Create(ctx, "/workers/w-", []byte("10.0.0.7"), client.WithMode(client.EphemeralSequential), client.WithParents())
	if err != nil {
		log.Fatal(err)
	}
	data, stat, err := cl.Get(ctx, made.Path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s, version %d\n", made.Path, data, stat.Version)

	_, err = cl.Set(ctx, made.Path, []byte("10.0.0.8"), 7)
	fmt.Println(err)
	fmt.Println(errors.Is(err, client.ErrBadVersion))
	// Output:
	// /workers/w-0000000000: 10.0.0.7, version 0
	// setData /workers/w-0000000000: version does not match
	// true
}

func ExampleOps_GetW() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()
	cl, err := client.Connect(ctx, servers)
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()
	if _, err := cl.Create(ctx, "/limit", []byte("10")); err != nil {
		log.Fatal(err)
	}

	for range 2 {
		data, stat, changed, err := cl.GetW(ctx, "/limit")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("limit is %s\n", data)
		if string(data) == "20" {
			changed.Remove()
			break
		}
		if _, err := cl.Set(ctx, "/limit", []byte("20"), stat.Version); err != nil {
			log.Fatal(err)
		}
		ev := <-changed.C // also when the connection is lost: then read again
		fmt.Println(ev.Path, ev.Type)
	}
	// Output:
	// limit is 10
	// /limit data changed
	// limit is 20
}

func ExampleClient_AddWatch() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()
	cl, err := client.Connect(ctx, servers)
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()
	if _, err := cl.Create(ctx, "/config", []byte("v1")); err != nil {
		log.Fatal(err)
	}

	w, err := cl.AddWatch(ctx, "/config", client.WatchPersistent)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	for ev, err := range w.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		// One way for all events: the first, those after a reconnect or in a new session,
		// and changes.
		data, _, err := cl.Get(ctx, "/config")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v: %s\n", ev.Type, data)
		if string(data) == "v2" {
			break
		}
		if _, err := cl.Set(ctx, "/config", []byte("v2"), client.AnyVersion); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// resynced: v1
	// data changed: v2
}

func ExampleOps_Txn() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()
	cl, err := client.Connect(ctx, servers)
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()

	_, err = cl.Txn().Create("/stack", nil).Create("/stack/vm", []byte("building")).Commit(ctx)
	fmt.Println(err)

	_, err = cl.Txn().
		Check("/stack", 0).
		Set("/stack/vm", []byte("ready"), 0).
		Delete("/stack/volume", client.AnyVersion).
		Commit(ctx)
	fmt.Println(err)

	data, _, err := cl.Get(ctx, "/stack/vm")
	fmt.Println(string(data), err)
	// Output:
	// <nil>
	// multi /stack: operation 2 (delete /stack/volume): node does not exist
	// building <nil>
}

func ExampleClient_States() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()
	cl, err := client.Connect(ctx, servers)
	if err != nil {
		log.Fatal(err)
	}

	for change := range cl.States(ctx) {
		fmt.Println(change.State, change.Epoch)
		if change.State == client.Connected {
			if err := cl.Close(); err != nil {
				log.Fatal(err)
			}
		}
	}
	// Output:
	// connected 1
	// closed 1
}

func ExampleOutcome() {
	srv, err := zktest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	ctx := context.Background()
	cl, err := client.Connect(ctx, srv.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()

	_, err = cl.Create(ctx, "no/slash", nil)
	fmt.Println(client.Outcome(err)) // refused by the client

	_, err = cl.Create(ctx, "/no/parent", nil)
	fmt.Println(client.Outcome(err)) // answered by a server

	srv.SwallowReply(zktest.On("/new", zktest.Creates()...))
	_, err = cl.Create(ctx, "/new", nil)
	fmt.Println(client.Outcome(err)) // perhaps executed

	// With protection it is found out.
	srv.SwallowReply(zktest.On("/2f1c-*", zktest.Creates()...))
	_, err = cl.Create(ctx, "/2f1c-", nil, client.WithMode(client.EphemeralSequential), client.WithProtection("2f1c"))
	fmt.Println(client.Outcome(err), err)
	// Output:
	// not sent
	// definite
	// unknown
	// definite <nil>
}

func ExampleSession_Hold() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()
	cl, err := client.Connect(ctx, servers)
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()
	s, err := cl.Session(ctx)
	if err != nil {
		log.Fatal(err)
	}
	leader, err := s.Create(ctx, "/leader", nil, client.WithMode(client.Ephemeral))
	if err != nil {
		log.Fatal(err)
	}

	hold, err := s.Hold(leader.Path)
	if err != nil {
		log.Fatal(err)
	}
	// Whatever is done as the leader is done under this context.
	fmt.Println(hold.Context().Err())
	fmt.Println(time.Until(hold.ValidUntil()) > 0)
	hold.Release()
	fmt.Println(context.Cause(hold.Context()))
	// Output:
	// <nil>
	// true
	// released
}
