package worker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/resource"
	"github.com/zookit/zookit/integration/faults/workload"
)

// connectPause is between two tries to have a client at all.
const connectPause = 200 * time.Millisecond

// hand is one client of one work.
type hand struct {
	work   Work
	load   *workload.Workload
	index  int
	name   string
	rand   *rand.Rand
	record *history.Recorder
	done   *atomic.Int64 // operations of its work in this process

	client atomic.Pointer[client.Client]
}

// counter counts the operations that end, by the lines of a history.
type counter struct {
	to   io.WriteCloser
	done atomic.Int64
}

func (c *counter) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"kind":"ok"`)) {
		c.done.Add(1)
	}
	return c.to.Write(line)
}

// hire makes the hands, and opens the histories.
func (w *worker) hire() error {
	for _, work := range w.cfg.Work {
		load, err := workload.Lookup(work.Name)
		if err != nil {
			return err
		}
		folder := filepath.Join(w.cfg.Dir, work.Name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("worker: folder of histories: %w", err)
		}
		f, err := os.Create(filepath.Join(folder, w.cfg.Process+".jsonl"))
		if err != nil {
			return fmt.Errorf("worker: history: %w", err)
		}
		c := &counter{to: f}
		record := history.NewRecorder(c, w.cfg.Process, nil)
		w.files = append(w.files, f)
		for i := w.cfg.Member; i < work.Clients; i += w.cfg.Members {
			w.hands = append(w.hands, &hand{
				work: work, load: load, index: i, record: record, done: &c.done,
				name: fmt.Sprintf("%s.c%d", w.cfg.Process, i),
				rand: rand.New(rand.NewPCG(w.cfg.Seed, uint64(len(w.hands)))),
			})
		}
	}
	return nil
}

func (w *worker) dial(ctx context.Context, opts ...client.Option) (*client.Client, error) {
	common := []client.Option{client.WithSessionTimeout(w.cfg.Session)}
	if w.cfg.Unconfirmed {
		common = append(common, client.WithoutConfirmation())
	}
	return client.Connect(ctx, w.cfg.Servers, append(common, opts...)...)
}

// work runs a workload with a client that it connects, until ctx ends.
func (w *worker) work(ctx context.Context, h *hand, ready func()) {
	cl, err := w.connect(ctx)
	ready()
	if err != nil {
		return
	}
	h.client.Store(cl)
	env := &workload.Env{
		Client: cl, Dial: w.dial, Name: h.name, Index: h.index, Clients: h.work.Clients,
		Rand: h.rand, Record: h.record.Client(h.name), Path: h.work.Path, Pace: w.cfg.Pace, Session: w.cfg.Session,
		Resource: resource.NewRemote(h.work.Resource),
	}
	err = h.load.Run(ctx, env)
	switch {
	case err != nil:
		w.say(Message{Event: Failed, Err: fmt.Sprintf("%s, client %s: %v", h.work.Name, h.name, err)})
	case ctx.Err() == nil:
		w.say(Message{Event: Failed, Err: fmt.Sprintf("%s, client %s: it has ended before its time", h.work.Name, h.name)})
	}
	if err := h.record.Err(); err != nil {
		w.say(Message{Event: Failed, Err: fmt.Sprintf("%s, client %s: %v", h.work.Name, h.name, err)})
	}
}

// connect tries until there is a client: a worker may be started in the midst of a fault.
func (w *worker) connect(ctx context.Context) (*client.Client, error) {
	for {
		cl, err := w.dial(ctx)
		if err == nil {
			return cl, nil
		}
		select {
		case <-time.After(connectPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// dismiss closes the clients and the histories, and tells what was wrong with that.
func (w *worker) dismiss() []string {
	var wrong []string
	for _, h := range w.hands {
		if cl := h.client.Load(); cl != nil {
			if err := cl.Close(); err != nil {
				wrong = append(wrong, fmt.Sprintf("closing the client of %s: %v", h.name, err))
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
	for _, f := range w.files {
		if err := f.Close(); err != nil {
			wrong = append(wrong, fmt.Sprintf("closing a history: %v", err))
		}
	}
	return wrong
}
