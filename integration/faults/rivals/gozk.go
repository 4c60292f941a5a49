package rivals

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/worker"
)

// goZK is a worker whose locks are go-zookeeper's.
type goZK struct {
	cfg       worker.Config
	finishing chan struct{}
	hands     []*goZKHand
	histories map[string]*counted

	mu  sync.Mutex
	out *json.Encoder
}

// counted counts the operations that end well, by the lines of a history.
type counted struct {
	to   io.Writer
	done atomic.Int64
}

func (c *counted) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"kind":"ok"`)) {
		c.done.Add(1)
	}
	return c.to.Write(line)
}

// goZKHand is one client of one work.
type goZKHand struct {
	w      *goZK
	record *history.Client
	path   string
	rand   *rand.Rand
	conn   atomic.Pointer[zk.Conn]
	losses atomic.Int64 // how often the session's connection was lost
	ready  chan struct{}
	done   chan struct{}
}

// GoZK is the program of a worker whose locks are go-zookeeper's. That library's Lock knows neither a timeout nor a
// cancel, so whoever waits when the work is over is left behind.
func GoZK(config string, in io.Reader, out io.Writer) error {
	w := &goZK{finishing: make(chan struct{}), histories: map[string]*counted{}, out: json.NewEncoder(out)}
	if err := json.Unmarshal([]byte(config), &w.cfg); err != nil {
		return fmt.Errorf("worker: its configuration: %w", err)
	}
	for _, work := range w.cfg.Work {
		if work.Name != "mutex-history" {
			return fmt.Errorf("worker: go-zookeeper has no recipe for %s", work.Name)
		}
		folder := filepath.Join(w.cfg.Dir, work.Name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("worker: %w", err)
		}
		f, err := os.Create(filepath.Join(folder, w.cfg.Process+".jsonl"))
		if err != nil {
			return fmt.Errorf("worker: %w", err)
		}
		c := &counted{to: f}
		w.histories[work.Name] = c
		record := history.NewRecorder(c, w.cfg.Process, nil)
		for i := w.cfg.Member; i < work.Clients; i += w.cfg.Members {
			h := &goZKHand{
				w: w, record: record.Client(fmt.Sprintf("%s.c%d", w.cfg.Process, i)), path: work.Path,
				rand: rand.New(rand.NewPCG(w.cfg.Seed, uint64(i))), ready: make(chan struct{}), done: make(chan struct{}),
			}
			w.hands = append(w.hands, h)
			go h.run()
		}
	}
	go w.report()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var c worker.Command
		if json.Unmarshal(lines.Bytes(), &c) != nil {
			continue
		}
		switch c.Do {
		case worker.Finish:
			w.finish()
			w.say(worker.Message{Event: worker.Finished})
		case worker.Jump:
			w.say(worker.Message{Event: worker.Jumped, Err: "this worker's clock cannot be set"})
		case worker.Close:
			w.finish()
			for _, h := range w.hands {
				if conn := h.conn.Load(); conn != nil {
					conn.Close()
				}
			}
			w.say(worker.Message{Event: worker.Closed})
			return nil
		}
	}
	return lines.Err()
}

func (w *goZK) say(m worker.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.out.Encode(m) // to nobody, if the laboratory has gone
}

// report says how the worker does, for as long as the process lives.
func (w *goZK) report() {
	for _, h := range w.hands {
		<-h.ready
	}
	w.say(worker.Message{Event: worker.Ready})
	for range time.Tick(100 * time.Millisecond) {
		m := worker.Message{Event: worker.Status, Done: map[string]int64{}, Sessions: map[string]int64{}}
		for name, c := range w.histories {
			m.Done[name] = c.done.Load()
		}
		for _, h := range w.hands {
			m.Sessions[h.record.Name()] = h.conn.Load().SessionID()
		}
		w.say(m)
	}
}

// finish has the hands end, as far as they can.
func (w *goZK) finish() {
	select {
	case <-w.finishing:
		return
	default:
		close(w.finishing)
	}
	limit := time.After(30 * time.Second)
	for _, h := range w.hands {
		select {
		case <-h.done:
		case <-limit:
			return
		}
	}
}

func (h *goZKHand) run() {
	defer close(h.done)
	conn, _, err := zk.Connect(strings.Split(h.w.cfg.Servers, ","), h.w.cfg.Session, zk.WithLogInfo(false),
		zk.WithEventCallback(func(ev zk.Event) {
			if ev.Type == zk.EventSession && (ev.State == zk.StateDisconnected || ev.State == zk.StateExpired) {
				h.losses.Add(1)
			}
		}))
	if err != nil {
		h.w.say(worker.Message{Event: worker.Failed, Err: err.Error()})
		return
	}
	conn.SetLogger(silent{})
	h.conn.Store(conn)
	close(h.ready)
	for {
		select {
		case <-h.w.finishing:
			return
		case <-time.After(h.some()):
			h.turn(conn)
		}
	}
}

type silent struct{}

// Printf implements zk.Logger.
func (silent) Printf(string, ...any) {}

func (h *goZKHand) some() time.Duration {
	d := time.Duration(h.rand.Int64N(int64(h.w.cfg.Pace)) + 1)
	if h.rand.IntN(8) == 0 {
		d *= 5
	}
	return d
}

func (h *goZKHand) turn(conn *zk.Conn) {
	// A new one each time: one whose Lock has failed may be of no use any more.
	lock := zk.NewLock(conn, h.path, zk.WorldACL(zk.PermAll))
	op := h.record.Invoke(models.Acquire, nil)
	if err := lock.Lock(); err != nil {
		op.Unknown(err)
		_ = lock.Unlock()
		return
	}
	op.OK(models.AcquireResult{})
	h.hold(conn, op)
	release := h.record.Invoke(models.Release, models.ReleaseArgs{Acquire: op.Op()})
	if err := lock.Unlock(); err != nil {
		release.Unknown(err)
		return
	}
	release.OK(nil)
}

// hold notes until when the lock is believed in: until the session's state says otherwise.
func (h *goZKHand) hold(conn *zk.Conn, op *history.Pending) {
	stay := h.some()
	if h.rand.IntN(6) == 0 {
		stay = time.Duration(h.rand.Int64N(int64(3 * h.w.cfg.Session)))
	}
	losses, end := h.losses.Load(), time.Now().Add(stay)
	var last, noted int64
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(end) {
		now := h.record.Now()
		if h.losses.Load() != losses || conn.State() != zk.StateHasSession {
			break
		}
		if last = now; last-noted > int64(50*time.Millisecond) {
			op.Note(last, models.Held, nil)
			noted = last
		}
		select {
		case <-tick.C:
		case <-h.w.finishing:
			end = time.Now()
		}
	}
	if last > noted {
		op.Note(last, models.Held, nil)
	}
}
