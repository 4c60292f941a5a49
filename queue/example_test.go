package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

type job struct {
	Image string
	Width int
}

// Example puts jobs and works on them.
func Example() {
	server, err := zktest.NewServer()
	if err != nil {
		panic(err)
	}
	defer func() { _ = server.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cl, err := client.Connect(ctx, server.Addr())
	if err != nil {
		panic(err)
	}
	defer func() { _ = cl.Close() }()

	jobs := queue.New[job](cl, "/jobs", queue.WithMaxAttempts(2))
	_, err = jobs.PutAll(ctx, []job{{"cat.png", 80}, {"dog.png", -1}})
	if err != nil {
		panic(err)
	}
	if _, err = jobs.Put(ctx, job{"urgent.png", 40}, queue.Priority(-1), queue.ID("urgent")); err != nil {
		panic(err)
	}
	_, err = jobs.Put(ctx, job{"urgent.png", 40}, queue.Priority(-1), queue.ID("urgent"))
	fmt.Println("put again:", errors.Is(err, queue.ErrDuplicate))

	for range 4 {
		item, err := jobs.Take(ctx)
		if err != nil {
			panic(err)
		}
		if item.Value.Width < 0 {
			fmt.Println("cannot do", item.Value.Image, "attempt", item.Attempt)
			err = item.Nack(ctx, 0)
		} else {
			fmt.Println("done", item.Value.Image)
			err = item.Ack(ctx)
		}
		if err != nil {
			panic(err)
		}
	}
	dead, err := jobs.Dead().Peek(ctx)
	fmt.Println("dead:", dead.Value.Image, dead.Reason, err)
	// Output:
	// put again: true
	// done urgent.png
	// done cat.png
	// cannot do dog.png attempt 1
	// cannot do dog.png attempt 2
	// dead: dog.png given back after 2 attempts <nil>
}
