package election_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
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

	e := election.New(cl, "/workers/leader", "worker-7")
	err := e.Run(ctx, func(ctx context.Context, term *election.Term) error {
		// ctx ends when the leadership does. The token goes along with whatever only a leader may write.
		leader, err := e.Leader(ctx)
		if err != nil {
			return err
		}
		fmt.Println("leading:", leader.ID, leader.Token == term.Token())
		return nil // that was all; to lead on, return when ctx ends
	})
	fmt.Println("result:", err)
	// Output:
	// leading: worker-7 true
	// result: <nil>
}

func ExampleElection_Campaign() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	e := election.New(cl, "/workers/leader", "worker-7")
	_, err := e.Leader(ctx)
	fmt.Println("before:", errors.Is(err, election.ErrNoLeader))

	term, err := e.Campaign(ctx)
	if err != nil {
		log.Fatal(err)
	}
	work := term.Context() // ends when the leadership does
	fmt.Println("leading:", work.Err() == nil)
	if err := term.Resign(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("resigned:", errors.Is(context.Cause(work), election.ErrResigned))
	// Output:
	// before: true
	// leading: true
	// resigned: true
}

func ExampleElection_Observe() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	e := election.New(cl, "/workers/leader", "worker-7", election.WithData("/workers/leader-data"))
	term, err := e.Campaign(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := term.Publish(ctx, []byte("10.0.0.7:8080")); err != nil {
		log.Fatal(err)
	}
	for leader, err := range e.Observe(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if leader.None() {
			fmt.Println("nobody leads")
			break
		}
		fmt.Printf("%s leads, at %s\n", leader.ID, leader.Data)
		if err := term.Resign(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// worker-7 leads, at 10.0.0.7:8080
	// nobody leads
}

// The leadership goes to a certain candidate, past those in between.
func ExampleTerm_HandOver() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	term, err := election.New(cl, "/workers/leader", "worker-7").Campaign(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(term.HandOver(ctx, "worker-8"), election.ErrNoCandidate), term.Err())

	led := make(chan string)
	go func() { // another process, usually
		e := election.New(cl, "/workers/leader", "worker-8")
		_ = e.Run(ctx, func(context.Context, *election.Term) error {
			led <- e.ID()
			return nil
		})
		close(led)
	}()
	for errors.Is(err, election.ErrNoCandidate) || err == nil && term.Err() == nil {
		err = term.HandOver(ctx, "worker-8") // until it is a candidate
	}
	fmt.Println(err, <-led)
	<-led
	// Output:
	// true <nil>
	// <nil> worker-8
}

// For the probe of an orchestrator.
func ExampleElection_Healthy() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	e := election.New(cl, "/workers/leader", "worker-7")
	ready := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := e.Healthy(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	probe := func() int {
		w := httptest.NewRecorder()
		ready.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil))
		return w.Code
	}
	fmt.Println("idle:", probe())
	_ = e.Run(ctx, func(context.Context, *election.Term) error {
		fmt.Println("leading:", probe())
		return nil
	})
	// Output:
	// idle: 503
	// leading: 200
}

// A leader tells where it can be reached.
func ExampleTerm_Publish() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	e := election.New(cl, "/workers/leader", "worker-7", election.WithData("/workers/address"))
	term, err := e.Campaign(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := term.Publish(ctx, []byte("10.0.0.7:8080")); err != nil {
		log.Fatal(err)
	}
	leader, err := e.Leader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s at %s\n", leader.ID, leader.Data)
	fmt.Println("resigned:", term.Resign(ctx))
	// Output:
	// worker-7 at 10.0.0.7:8080
	// resigned: <nil>
}
