package otel_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/otel"
	"github.com/zookit/zookit/zktest"
)

func Example() {
	srv, err := zktest.NewServer() // in a program: the ensemble
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	ctx := context.Background()

	spans := tracetest.NewInMemoryExporter() // in a program: OTLP, for example
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	hooks, err := otel.NewHooks(otel.WithTracerProvider(provider), otel.WithPaths())
	if err != nil {
		log.Fatal(err)
	}
	cl, err := client.Connect(ctx, srv.Addr(), client.WithHooks(hooks))
	if err != nil {
		log.Fatal(err)
	}
	defer cl.Close()

	ctx, span := provider.Tracer("orchestrator").Start(ctx, "update stack")
	_, err = cl.Create(ctx, "/stacks", nil)
	span.End()
	fmt.Println(err)
	for _, s := range spans.GetSpans() {
		fmt.Println(s.SpanKind, s.Name, s.Parent.IsValid())
	}
	// Output:
	// <nil>
	// client create2 true
	// internal update stack false
}
