package queuefaults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

// Variables by which a process is told what it is.
const (
	roleVar    = "ZOOKIT_QUEUE_ROLE" // producer, consumer, popper
	nameVar    = "ZOOKIT_QUEUE_NAME"
	connectVar = "ZOOKIT_QUEUE_CONNECT"
	timeoutVar = "ZOOKIT_QUEUE_TIMEOUT" // of its session, in milliseconds
)

const path = "/faults/queue"

// TestMain is the worker where it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv(roleVar) == "" {
		os.Exit(m.Run())
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// worker is a producer or a consumer.
type worker struct {
	name string
	q    *queue.Queue[string]
	mu   sync.Mutex
}

// serve works until its standard input ends.
func serve() error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		}
		stop()
	}()
	millis, err := strconv.Atoi(os.Getenv(timeoutVar))
	if err != nil {
		return err
	}
	cl, err := client.Connect(ctx, os.Getenv(connectVar), client.WithSessionTimeout(time.Duration(millis)*time.Millisecond), client.WithConnectTimeout(0))
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = cl.Close() }()
	w := &worker{name: os.Getenv(nameVar), q: queue.NewWith(cl, path, recipes.Text{}, queue.WithSegment(50))}
	switch os.Getenv(roleVar) {
	case "producer":
		return w.produce(ctx)
	case "popper":
		return w.pop(ctx)
	}
	return w.consume(ctx)
}

func (w *worker) say(kind, id string, attempt int, token int64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = fmt.Fprintln(os.Stdout, event{Worker: w.name, Kind: kind, ID: id, Attempt: attempt, Token: token, At: at})
}

// produce puts items of all kinds.
func (w *worker) produce(ctx context.Context) error {
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("%s.%d", w.name, n)
		opts := []queue.PutOption{queue.ID(id)}
		if n%5 == 0 {
			opts = append(opts, queue.Priority(rand.IntN(3)-1))
		}
		if n%7 == 0 {
			opts = append(opts, queue.Delay(time.Duration(rand.IntN(500))*time.Millisecond))
		}
		for {
			w.say(putting, id, 0, 0, time.Now())
			_, err := w.q.Put(ctx, id, opts...)
			if err == nil || errors.Is(err, queue.ErrDuplicate) {
				w.say(put, id, 0, 0, time.Now())
				break
			}
			if client.Outcome(err) != client.Unknown {
				w.say(unput, id, 0, 0, time.Now())
				if ctx.Err() == nil {
					return err
				}
				return nil
			}
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it is stopped, and does not know
			}
		}
		<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond) // the pace of its work
	}
	return nil
}

func (w *worker) consume(ctx context.Context) error {
	for item, err := range w.q.Items(ctx, 1+rand.IntN(4)) {
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		w.say(got, item.ID, item.Attempt, item.Token(), time.Now())
		if err := w.work(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// work has an item for a while, and settles it.
func (w *worker) work(ctx context.Context, item *queue.Item[string]) error {
	takes := time.Duration(rand.IntN(30)) * time.Millisecond
	if rand.IntN(20) == 0 {
		takes += time.Duration(rand.IntN(6000)) * time.Millisecond // long enough for the lease to be lost meanwhile
	}
	select {
	case <-item.Context().Done():
		w.say(lost, item.ID, item.Attempt, item.Token(), item.ValidUntil())
		return nil
	case <-time.After(takes):
	}
	if rand.IntN(8) == 0 {
		delay := time.Duration(rand.IntN(2)*200) * time.Millisecond
		if err := item.Nack(ctx, delay); err == nil {
			w.say(nacked, item.ID, item.Attempt, item.Token(), time.Now())
			return nil
		} else if ctx.Err() == nil && !errors.Is(err, queue.ErrLost) && client.Outcome(err) != client.Unknown {
			return err
		}
		return nil
	}
	for {
		w.say(acking, item.ID, item.Attempt, item.Token(), time.Now())
		err := item.Ack(context.WithoutCancel(ctx))
		switch {
		case err == nil:
			w.say(acked, item.ID, item.Attempt, item.Token(), time.Now())
			return nil
		case errors.Is(err, queue.ErrLost):
			w.say(unacked, item.ID, item.Attempt, item.Token(), time.Now())
			return nil
		case client.Outcome(err) == client.Unknown && ctx.Err() == nil:
			w.say(wondered, item.ID, item.Attempt, item.Token(), time.Now())
			if errors.Is(err, client.ErrNoNode) { // the servers have deleted the lane
				return nil
			}
			continue
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it is stopped, and does not know
		}
		return err
	}
}

func (w *worker) pop(ctx context.Context) error {
	for ctx.Err() == nil {
		e, err := w.q.Pop(ctx)
		switch {
		case err == nil:
			w.say(popped, e.ID, e.Attempt, 0, time.Now())
		case client.Outcome(err) == client.Unknown && e.ID != "":
			w.say(wondered, e.ID, e.Attempt, 0, time.Now())
		case ctx.Err() == nil:
			return err
		}
	}
	return nil
}
