package prom_test

import (
	"context"
	"fmt"
	"log"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/prom"
	"github.com/zookit/zookit/zktest"
)

func Example() {
	srv, err := zktest.NewServer() // in a program: the ensemble
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	metrics := prom.New()
	registry := prometheus.NewRegistry() // or prometheus.DefaultRegisterer
	registry.MustRegister(metrics)

	ctx := context.Background()
	cl, err := client.Connect(ctx, srv.Addr(), client.WithHooks(metrics))
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()
	if _, err := cl.Create(ctx, "/stacks", nil); err != nil {
		log.Fatal(err)
	}

	// What a scrape reads:
	text, err := testutil.CollectAndFormat(metrics, expfmt.TypeTextPlain, "zookit_operations_total")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// # HELP zookit_operations_total Operations that have ended.
	// # TYPE zookit_operations_total counter
	// zookit_operations_total{op="create2",outcome="ok"} 1
}
