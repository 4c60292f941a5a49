package client

import (
	"context"
	"sync"
	"time"

	"github.com/zookit/zookit/internal/wire"
)

// hookLists are the hooks by what they want to be told.
type hookLists struct {
	open       []HookOpen
	close      []HookClose
	connect    []HookConnect
	disconnect []HookDisconnect
	state      []HookState
	op         []HookOp
	retry      []HookRetry
	grant      []HookGrant
}

// add is false if h implements nothing that could be called.
func (l *hookLists) add(h Hook) bool {
	wanted := false
	wanted = wants(&l.open, h) || wanted
	wanted = wants(&l.close, h) || wanted
	wanted = wants(&l.connect, h) || wanted
	wanted = wants(&l.disconnect, h) || wanted
	wanted = wants(&l.state, h) || wanted
	wanted = wants(&l.op, h) || wanted
	wanted = wants(&l.retry, h) || wanted
	wanted = wants(&l.grant, h) || wanted
	return wanted
}

func wants[T any](list *[]T, h Hook) bool {
	v, ok := h.(T)
	if ok {
		*list = append(*list, v)
	}
	return ok
}

// observer tells the hooks. What happens to the client itself is told by a goroutine that
// lives while there is anything to tell, and is owned by Close.
type observer struct {
	hookLists

	mu    sync.Mutex
	queue []func()
	idle  chan struct{} // closed when the goroutine ends; nil if there is none
	over  bool
}

// later queues what is to be told; it is false after finish.
func (o *observer) later(tell func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return false
	}
	o.queue = append(o.queue, tell)
	if o.idle == nil {
		o.idle = make(chan struct{})
		go o.run()
	}
	return true
}

func (o *observer) run() {
	for {
		o.mu.Lock()
		batch := o.queue
		o.queue = nil
		if len(batch) == 0 {
			close(o.idle)
			o.idle = nil
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		for _, tell := range batch {
			tell()
		}
	}
}

// finish tells of the client's end, and returns when everything has been told.
func (o *observer) finish(c *Client) {
	if len(o.close) > 0 {
		o.later(func() {
			for _, h := range o.close {
				h.OnClose(c)
			}
		})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.idle != nil {
		idle := o.idle
		o.mu.Unlock()
		<-idle
		o.mu.Lock()
	}
	o.over = true
}

func (o *observer) opened(c *Client) {
	for _, h := range o.open {
		h.OnOpen(c)
	}
}

// changed is called under the gate's lock, so that the order is that of the changes.
func (o *observer) changed(change StateChange) {
	if len(o.state) == 0 {
		return
	}
	o.later(func() {
		for _, h := range o.state {
			h.OnState(change)
		}
	})
}

// tried reports that the dialer's newest attempt has ended, unless that has been reported.
func (s *Session) tried(info wire.Session, err error) target {
	t, start, ok := s.c.dialer.concluded()
	if !ok {
		return t
	}
	s.c.counters.attempts.Add(1)
	if err == nil {
		s.c.counters.connections.Add(1)
		if !info.Resumed {
			s.c.counters.opened.Add(1)
		}
	}
	o := &s.c.hooks
	if len(o.connect) == 0 {
		return t
	}
	e := ConnectEnd{
		Epoch: s.epoch, Server: t.server.String(), Address: t.addr, Start: start, Duration: time.Since(start),
		SessionID: info.ID, Resumed: info.Resumed, Err: err,
	}
	if t.addr == "" {
		e.Server = ""
	}
	o.later(func() {
		for _, h := range o.connect {
			h.OnConnect(e)
		}
	})
	return t
}

// parted reports that the session's connection has ended. It is called under the gate's lock.
func (s *Session) parted(lasted time.Duration, err error) {
	s.c.counters.disconnections.Add(1)
	o := &s.c.hooks
	if len(o.disconnect) == 0 {
		return
	}
	e := Disconnect{Epoch: s.epoch, SessionID: s.id, Server: s.at.server.String(), Address: s.at.addr, Lasted: lasted, Err: err}
	o.later(func() {
		for _, h := range o.disconnect {
			h.OnDisconnect(e)
		}
	})
}

// ended reports the run's end.
func (u *run) ended(ctx context.Context, err error) {
	c := u.o.c
	kind := Outcome(err)
	c.counters.count(kind, err)
	if len(c.hooks.op) == 0 {
		return
	}
	e := OpEnd{
		Ctx: ctx, Op: u.r.op.String(), Path: u.r.path, Start: u.start, Duration: time.Since(u.start),
		Attempts: u.attempts, Outcome: kind, Err: err, RequestBytes: u.size,
	}
	if u.sent != nil {
		e.SessionID, e.Server = u.s.id, u.sent.Server()
		select {
		case <-u.sent.Done():
			if u.sent.Err == nil {
				e.ReplyBytes, e.Zxid = u.sent.ReplySize(), max(u.sent.Zxid, 0)
			}
		default: // abandoned
		}
	}
	for _, h := range c.hooks.op {
		h.OnOp(e)
	}
}

// repeats reports that the run's last attempt will be repeated.
func (u *run) repeats(ctx context.Context, pause time.Duration) {
	c := u.o.c
	c.counters.repeats.Add(1)
	if len(c.hooks.retry) == 0 {
		return
	}
	e := Retry{Ctx: ctx, Op: u.r.op.String(), Path: u.r.path, Attempt: u.attempts, Pause: pause, Err: u.last}
	for _, h := range c.hooks.retry {
		h.OnRetry(e)
	}
}
