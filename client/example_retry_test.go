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

func ExampleOps_WithRetry() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()
	cl, err := client.Connect(ctx, servers, client.WithRetryPolicy(client.RetryFor(30*time.Second)))
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()

	// A health check had rather know at once.
	_, _, err = cl.WithRetry(client.NoRetry()).Exists(ctx, "/")
	fmt.Println(err)

	// Others are in no hurry, and gentle.
	patient := cl.WithRetry(client.RetryExponential(time.Second, time.Minute).Times(5))
	_, err = patient.Create(ctx, "/report", nil)
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
}

func ExampleOps_Idempotent() {
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

	srv.SwallowReply(zktest.On("/limits", zktest.Creates()...))
	_, err = cl.Idempotent().Create(ctx, "/limits", []byte("10"))
	fmt.Println(err)

	srv.SwallowReply(zktest.On("/limits", zktest.OpSetData))
	stat, err := cl.Idempotent().Set(ctx, "/limits", []byte("20"), 0)
	fmt.Println(stat.Version, err)
	// Output:
	// <nil>
	// 1 <nil>
}

func ExampleTxn_WithMarker() {
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
	for _, path := range []string{"/from", "/to", "/markers"} {
		if _, err := cl.Create(ctx, path, nil); err != nil {
			log.Fatal(err)
		}
	}

	srv.SwallowReply(zktest.On("/from", zktest.OpMulti))
	_, err = cl.Txn().Delete("/from", 0).Set("/to", []byte("moved"), 0).WithMarker("/markers").Commit(ctx)
	fmt.Println(client.Outcome(err), err)
	// Output:
	// definite <nil>
}

func ExampleBreaker() {
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

	breaker, err := client.NewBreaker(cl, client.RetryExponential(time.Second, time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	srv.Refuse() // the ensemble goes away
	srv.DropConnections()
	for change := range breaker.States(ctx) {
		if change.State == client.Suspended {
			fmt.Println(change.State)
			break
		}
	}
	_, _, err = breaker.Ops().Get(ctx, "/limits")
	fmt.Println(errors.Is(err, client.ErrCircuitOpen), client.Outcome(err))
	// Output:
	// suspended
	// true not sent
}
