package discovery_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/zktest"
)

// A process registers, and another one finds it.
func Example() {
	ctx := context.Background()
	srv, err := zktest.NewServer() // a program passes the addresses of its ensemble to client.Connect
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	cl, err := client.Connect(ctx, srv.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()

	d := discovery.New(cl, "/services")
	uri, err := discovery.ParseURISpec("{scheme}://{address}:{port}")
	if err != nil {
		log.Fatal(err)
	}
	reg, err := d.Register(ctx, discovery.Instance{Name: "billing", Address: "10.0.0.7", Port: 8080, URISpec: uri})
	if err != nil {
		log.Fatal(err)
	}

	billing, err := d.Watch(ctx, "billing")
	if err != nil {
		log.Fatal(err)
	}
	defer billing.Close()
	provider, err := billing.Provider(discovery.RoundRobin())
	if err != nil {
		log.Fatal(err)
	}
	pick, err := provider.Pick()
	if err != nil {
		log.Fatal(err) // discovery.ErrNoInstance
	}
	fmt.Println(pick.URI())
	pick.Done(nil) // or the error of the call
	fmt.Println(reg.Unregister(ctx))
	// Output:
	// http://10.0.0.7:8080
	// <nil>
}
