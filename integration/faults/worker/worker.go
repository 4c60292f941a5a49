package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// statusEvery is how often a worker says how it does.
const statusEvery = 100 * time.Millisecond

// worker is the process.
type worker struct {
	cfg   Config
	hands []*hand
	files []io.Closer // the histories

	mu  sync.Mutex
	out *json.Encoder
}

// Main is the worker's program. It returns when in has ended, or after [Close].
func Main(ctx context.Context, config string, in io.Reader, out io.Writer) error {
	w := &worker{out: json.NewEncoder(out)}
	if err := json.Unmarshal([]byte(config), &w.cfg); err != nil {
		return fmt.Errorf("worker: its configuration: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	commands := make(chan Command)
	go listen(ctx, in, commands)
	if err := warmUp(ctx); err != nil {
		return err
	}
	before := census()
	if err := w.hire(); err != nil {
		return err
	}
	working, finish := context.WithCancel(ctx)
	defer finish()
	var group sync.WaitGroup
	var ready sync.WaitGroup
	for _, h := range w.hands {
		ready.Add(1)
		group.Go(func() { w.work(working, h, ready.Done) })
	}
	group.Go(func() {
		ready.Wait()
		if working.Err() == nil {
			w.say(Message{Event: Ready})
		}
	})
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.say(w.status())
		case c, ok := <-commands:
			switch {
			case !ok || c.Do == Close:
				tick.Stop()
				finish()
				group.Wait()
				m := Message{Event: Closed, Left: w.dismiss()}
				m.Counts = w.counts()
				if ok {
					m.Left = append(m.Left, before.leftBehind(ctx)...)
				}
				w.say(m)
				return nil
			case c.Do == Finish:
				finish()
				group.Wait()
				w.say(Message{Event: Finished})
			case c.Do == Jump:
				m := Message{Event: Jumped}
				if err := jump(c.By); err != nil {
					m.Err = err.Error()
				}
				w.say(m)
			}
		}
	}
}

// listen reads commands until the end of in, and closes the channel then.
func listen(ctx context.Context, in io.Reader, commands chan<- Command) {
	defer close(commands)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var c Command
		if json.Unmarshal(lines.Bytes(), &c) != nil {
			continue
		}
		select {
		case commands <- c:
		case <-ctx.Done():
			return
		}
	}
}

// say is heard unless the laboratory has gone, which ends the process by itself.
func (w *worker) say(m Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.out.Encode(m)
}

func (w *worker) status() Message {
	m := Message{Event: Status, Done: map[string]int64{}, Sessions: map[string]int64{}, Counts: w.counts()}
	for _, h := range w.hands {
		m.Done[h.work.Name] = h.done.Load()
		if cl := h.client.Load(); cl != nil {
			m.Sessions[h.name] = cl.State().SessionID
		}
	}
	return m
}

func (w *worker) counts() Counts {
	var c Counts
	for _, h := range w.hands {
		cl := h.client.Load()
		if cl == nil {
			continue
		}
		s := cl.Stats()
		c.Add(Counts{
			SessionsOpened: s.SessionsOpened, SessionsLost: s.SessionsLost, Connections: s.Connections,
			Requests: s.Requests, Repeats: s.Repeats,
			OpsOK: s.OpsOK, OpsFailed: s.OpsFailed, OpsNotSent: s.OpsNotSent, OpsUnknown: s.OpsUnknown,
		})
	}
	return c
}

// warmUp has Go open what it opens once for the network, so that it is there before anything is counted.
func warmUp(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("worker: no network: %w", err)
	}
	return l.Close()
}
