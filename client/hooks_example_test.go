package client_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
)

// audit is a hook: it implements what it wants to be told of.
type audit struct{}

// OnOp implements client.HookOp.
func (audit) OnOp(e client.OpEnd) { fmt.Println(e.Op, e.Path, e.Outcome, e.Err != nil) }

// OnConnect implements client.HookConnect.
func (audit) OnConnect(e client.ConnectEnd) { fmt.Println("connected:", e.Err == nil) }

func ExampleWithHooks() {
	servers, stop := ensemble()
	defer stop()
	ctx := context.Background()
	cl, err := client.Connect(ctx, servers, client.WithHooks(audit{}))
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = cl.Get(ctx, "/none")
	fmt.Println(err)
	_ = cl.Close()
	fmt.Println(cl.Stats().OpsFailed)
	// Unordered output:
	// connected: true
	// getData /none definite true
	// getData /none: node does not exist
	// 1
}
