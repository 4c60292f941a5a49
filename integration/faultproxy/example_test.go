package faultproxy_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/zookit/zookit/integration/faultproxy"
)

// The server creates the node, and the client loses its connection before it
// hears of it.
func ExampleProxy_SwallowReply() {
	proxy, err := faultproxy.New("127.0.0.1:2181")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = proxy.Close() }()

	lost := proxy.SwallowReply(faultproxy.OpPath(faultproxy.OpCreate2, "/lock-"))
	fmt.Println("let the client connect to", proxy.Addr(), "and take the lock")

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	request, err := lost.Wait(ctx)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println("the reply is gone to", request)
}
