package scenario

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// childFiles names the directory in which processes leave their handles.
const childFiles = "ZOOKIT_SCENARIO_FILES"

// resumer is a process that takes a lock, or takes one up, and does what its standard input says.
type resumer struct {
	ctx  context.Context
	say  func(report)
	cl   *client.Client
	held *lock.Held
}

// text is a handle.
type text interface{ MarshalText() ([]byte, error) }

func leaveFile(name string, h text) error {
	line, err := h.MarshalText()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Getenv(childFiles), name), line, 0o600)
}

func takeFile(name string, h interface{ UnmarshalText(text []byte) error }) error {
	line, err := os.ReadFile(filepath.Join(os.Getenv(childFiles), name))
	if err != nil {
		return err
	}
	return h.UnmarshalText(line)
}

// runResumer is the process; resume tells whether it begins with what another has left.
func runResumer(ctx context.Context, say func(report), resume bool) error {
	p := &resumer{ctx: ctx, say: func(r report) { r.At = time.Now(); say(r) }}
	begin := p.begin
	if resume {
		begin = p.resume
	}
	if err := begin(); err != nil {
		return err
	}
	defer func() { _ = p.cl.Close() }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-p.held.Context().Done()
		if err := context.Cause(p.held.Context()); !errors.Is(err, lock.ErrUnlocked) {
			p.say(report{Event: "ended", Token: p.held.Token(), Err: endOf(err)})
		}
	}()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch in.Text() {
		case "write":
			commit := func() error {
				_, err := p.held.Txn().Set(resumeData, []byte("written"), client.AnyVersion).Commit(ctx)
				return err
			}
			err := commit()
			for client.Outcome(err) == client.Unknown && p.held.Err() == nil && ctx.Err() == nil {
				err = commit() // it was thrown off by whoever tries to take the session; twice is as good as once
			}
			p.say(report{Event: "written", Err: endOf(err), Lost: p.held.Err() != nil})
		case "unlock":
			p.say(report{Event: "unlocked", Err: endOf(p.held.Unlock(ctx))})
		case "wait in line":
			go func() {
				_, err := lock.NewMutex(p.cl, resumeLock).Lock(ctx)
				p.say(report{Event: "waiter", Err: endOf(err)})
			}()
		case "detach":
			h, err := p.cl.Detach(ctx)
			if err == nil {
				err = leaveFile("session", h)
			}
			<-ended
			p.say(report{Event: "detached", Err: endOf(err)})
			return err
		case "close":
			p.say(report{Event: "closed", Err: endOf(p.cl.Close())})
			return nil
		}
	}
	return nil
}

// begin takes the lock and writes everything down.
func (p *resumer) begin() (err error) {
	p.cl, err = client.Connect(p.ctx, os.Getenv(childServers), client.WithSessionTimeout(resumeTimeout))
	if err != nil {
		return err
	}
	if err := p.leave(); err != nil {
		return err
	}
	if p.held, err = lock.NewMutex(p.cl, resumeLock).Lock(p.ctx); err != nil {
		return err
	}
	if err := leaveFile("lock", p.held.Handle()); err != nil {
		return err
	}
	p.say(report{Event: "held", Token: p.held.Token()})
	return nil
}

// leave writes the session down.
func (p *resumer) leave() error {
	s, err := p.cl.Session(p.ctx)
	if err != nil {
		return err
	}
	h, err := s.Handle(p.ctx)
	if err != nil {
		return err
	}
	return leaveFile("session", h)
}

// resume takes up what another process has written down.
func (p *resumer) resume() error {
	var session client.SessionHandle
	var grant recipes.GrantHandle
	if err := errors.Join(takeFile("session", &session), takeFile("lock", &grant)); err != nil {
		return err
	}
	var err error
	p.cl, err = client.Connect(p.ctx, os.Getenv(childServers), client.WithSession(session))
	p.say(report{Event: "connected", Err: endOf(err)})
	if err != nil {
		return err
	}
	if err := p.leave(); err != nil {
		return err
	}
	if p.held, err = lock.Resume(p.ctx, p.cl, grant); err != nil {
		return err
	}
	p.say(report{Event: "held", Token: p.held.Token()})
	return nil
}
