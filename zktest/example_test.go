package zktest_test

import (
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zookit/zookit/zktest"
)

// A worker's registration goes when its session does.
func Example() {
	server, err := zktest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	conn, _, err := zk.Connect([]string{server.Addr()}, 10*time.Second, zk.WithLogger(silent{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	_, err = conn.Create("/worker-7", []byte("host:8080"), zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
	_, there := server.Node("/worker-7")
	fmt.Println("registered:", there, err)

	server.ExpireSession(conn.SessionID())
	_, there = server.Node("/worker-7")
	fmt.Println("registered:", there)
	// Output:
	// registered: true <nil>
	// registered: false
}

// The reply to a create is lost: the client is left not knowing, and the node is there.
func ExampleServer_SwallowReply() {
	server, err := zktest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	conn, _, err := zk.Connect([]string{server.Addr()}, 10*time.Second, zk.WithLogger(silent{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	lost := server.SwallowReply(zktest.On("/job-*", zktest.Creates()...))
	_, err = conn.Create("/job-", nil, zk.FlagSequence, zk.WorldACL(zk.PermAll))
	<-lost.Fired()
	_, there := server.Node("/job-0000000000")
	fmt.Println(err)
	fmt.Println("created:", there)
	// Output:
	// zk: connection closed
	// created: true
}
