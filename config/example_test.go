package config_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/recipes"
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

type Limits struct {
	Max     int           `json:"max" usage:"how many at once"`
	Timeout time.Duration `json:"timeout"`
}

func (l Limits) check() error {
	if l.Max <= 0 {
		return errors.New("max must be positive")
	}
	return nil
}

// A service follows its limits. A bad document is reported and changes nothing.
func ExampleWatch() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	limits, err := config.Watch(ctx, cl, "/config/limits",
		config.WithDefault(Limits{Max: 10, Timeout: time.Second}), config.WithValidate(Limits.check))
	if err != nil {
		log.Fatal(err)
	}
	defer limits.Close()

	fmt.Println("default:", limits.Load())
	for now, err := range limits.Updates(ctx) {
		switch {
		case err != nil:
			fmt.Println("still:", now, errors.Is(err, config.ErrBadDocument))
			return
		case now.Max == 10:
			err = limits.Set(ctx, Limits{Max: 20, Timeout: time.Second})
		default:
			fmt.Println("now:", now)
			_, err = cl.Set(ctx, "/config/limits", []byte(`{"max": -1}`), client.AnyVersion)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// default: {10 1s}
	// now: {20 1s}
	// still: {20 1s} true
}

// Each update is made exactly once, and what was replaced can be had back.
func ExampleDocument_Update() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	limits := config.New(cl, "/config/limits", config.WithDefault(Limits{Max: 10}))
	for range 2 {
		now, err := limits.Update(ctx, func(l Limits) (Limits, error) {
			l.Max++
			return l, nil
		})
		fmt.Println(now.Max, err)
	}

	revisions, err := limits.History(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("before that:", revisions[0].Value.Max)
	if err := limits.RollBack(ctx, revisions[0].ID); err != nil {
		log.Fatal(err)
	}
	now, _, err := limits.Get(ctx)
	fmt.Println("again:", now.Max, err)
	// Output:
	// 11 <nil>
	// 12 <nil>
	// before that: 11
	// again: 11 <nil>
}

// Flags that were given go before the document, and the document before the default.
func ExampleBind() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	flags := flag.NewFlagSet("worker", flag.ContinueOnError) // or flag.CommandLine
	binding, err := config.Bind(Limits{Max: 10, Timeout: time.Second}, "WORKER", flags)
	if err != nil {
		log.Fatal(err)
	}
	if err := flags.Parse([]string{"-timeout", "3s"}); err != nil {
		log.Fatal(err)
	}
	if _, err := cl.Create(ctx, "/config/limits", []byte(`{"max": 5, "timeout": 1}`), client.WithParents()); err != nil {
		log.Fatal(err)
	}
	limits, err := config.Watch(ctx, cl, "/config/limits", config.WithBinding(binding))
	if err != nil {
		log.Fatal(err)
	}
	defer limits.Close()
	fmt.Println(limits.Load())
	// Output: {5 3s}
}

// Settings that are a node each.
func ExampleWatchTree() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()
	for path, data := range map[string]string{"/app/max": "7", "/app/timeout": "2s"} {
		if _, err := cl.Create(ctx, path, []byte(data), client.WithParents()); err != nil {
			log.Fatal(err)
		}
	}

	tree, err := config.WatchTree(ctx, cl, "/app", recipes.MirrorConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()
	var limits Limits
	err = tree.Load().Unmarshal(&limits)
	fmt.Println(limits, err, tree.Load().Names(""))
	// Output: {7 2s} <nil> [max timeout]
}

// Workers that come and go at once are told at once.
func ExampleWatchChildren() {
	ctx := context.Background()
	cl, done := connectExample(ctx)
	defer done()

	workers, err := config.WatchChildren(ctx, cl, "/workers", 50*time.Millisecond)
	if err != nil {
		log.Fatal(err)
	}
	defer workers.Close()
	for _, name := range []string{"a", "b", "c"} {
		if _, err := cl.Create(ctx, "/workers/"+name, nil, client.WithParents()); err != nil {
			log.Fatal(err)
		}
	}
	for names, err := range workers.Updates(ctx) {
		if len(names) == 3 || err != nil {
			fmt.Println(names, err)
			return
		}
	}
	// Output: [a b c] <nil>
}
