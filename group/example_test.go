package group_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/zktest"
)

func exampleServer() (*zktest.Server, *client.Client) {
	srv, err := zktest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	cl, err := client.Connect(context.Background(), srv.Addr())
	if err != nil {
		log.Fatal(err)
	}
	return srv, cl
}

func ExampleJoin() {
	srv, cl := exampleServer() // in place of an ensemble
	defer srv.Close()
	defer cl.Close()
	ctx := context.Background()

	member, err := group.Join(ctx, cl, "/workers", "worker-7", []byte("10.0.0.7:8080"))
	if err != nil {
		log.Fatal(err)
	}
	members, err := group.Members(ctx, cl, "/workers")
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range members {
		fmt.Printf("%s at %s\n", m.ID, m.Data)
	}
	if err := member.Leave(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: worker-7 at 10.0.0.7:8080
}

func ExampleWatch() {
	srv, cl := exampleServer()
	defer srv.Close()
	defer cl.Close()
	ctx := context.Background()

	var member *group.Member
	for members, err := range group.Watch(ctx, cl, "/workers") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(members), "members")
		if len(members) > 0 {
			break
		}
		if member, err = group.Join(ctx, cl, "/workers", "worker-7", nil); err != nil {
			log.Fatal(err)
		}
	}
	if err := member.Leave(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0 members
	// 1 members
}

func ExamplePartitioner() {
	srv, cl := exampleServer()
	defer srv.Close()
	defer cl.Close()
	ctx, cancel := context.WithCancel(context.Background())

	p := group.NewPartitioner(cl, "/jobs", "worker-7", []string{"shard-0", "shard-1"})
	began := make(chan string)
	done := make(chan error)
	go func() {
		done <- p.Run(ctx, func(ctx context.Context, part *group.Partition) error {
			began <- part.Name()
			<-ctx.Done() // work on it until then
			return nil
		})
	}()
	<-began
	<-began
	for _, part := range p.Owned() {
		fmt.Println(part.Name())
	}
	cancel() // gives both up and leaves
	fmt.Println(<-done)
	// Output:
	// shard-0
	// shard-1
	// partitioner /jobs: context canceled
}
