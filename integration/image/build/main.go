// Command build makes the ZooKeeper image of package image, unless the engine
// has it already, and prints one line about it:
//
//	go run ./image/build
//
// It needs a Docker engine, and Debian with root for what it must install.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"github.com/zookit/zookit/integration/image"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	result, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	fmt.Println(result)
}

func run(ctx context.Context) (image.Result, error) {
	log.SetDefault(log.NewNoopLogger())
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return image.Result{}, fmt.Errorf("no Docker engine answers: %w", err)
	}
	defer engine.Close()
	return image.Ensure(ctx, engine)
}
