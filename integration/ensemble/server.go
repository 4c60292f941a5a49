package ensemble

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// logTimeout bounds the reading of a server's log.
const logTimeout = 10 * time.Second

// Server is one server of an ensemble.
type Server struct {
	id       int
	node     node
	peerCuts bool
	turn     chan struct{} // holds a token while something is done to the server

	mu        sync.Mutex
	condition condition
	cut       bool
	closed    bool
}

// condition is what has been done to a server.
type condition int

const (
	running condition = iota
	stopped
	dead
)

func (c condition) String() string {
	return [...]string{"running", "stopped", "killed"}[c]
}

func newServer(id int, n node, peerCuts bool) *Server {
	return &Server{id: id, node: n, peerCuts: peerCuts, turn: make(chan struct{}, 1)}
}

// ID is the number of the server in the ensemble, from 1.
func (s *Server) ID() int { return s.id }

// Addr is where clients reach the server, as host:port.
func (s *Server) Addr() string { return s.node.addr() }

// String names the server in errors and logs.
func (s *Server) String() string { return fmt.Sprintf("server %d (%s)", s.id, s.Addr()) }

// Kill ends the server with SIGKILL and returns when it is gone. A server that
// is gone already stays so.
func (s *Server) Kill(ctx context.Context) error {
	return s.do(ctx, "kill", func() error { return s.kill(ctx) })
}

// Restart starts the server again, with its data and at its address. One that
// still runs is killed first. It does not wait for the server to serve.
func (s *Server) Restart(ctx context.Context) error {
	return s.do(ctx, "restart", func() error {
		if err := s.kill(ctx); err != nil {
			return err
		}
		return s.start(ctx)
	})
}

// Stop stops the server where it stands, as SIGSTOP does: its connections stay
// open and nothing is answered.
func (s *Server) Stop(ctx context.Context) error {
	return s.do(ctx, "stop", func() error {
		switch is, _ := s.state(); is {
		case stopped:
			return nil
		case dead:
			return fmt.Errorf("%w: it was killed, so restart it", errNotRunning)
		case running:
		}
		if err := s.node.pause(ctx); err != nil {
			return err
		}
		s.became(stopped)
		return nil
	})
}

// Continue lets a stopped server run on. It does nothing to one that runs.
func (s *Server) Continue(ctx context.Context) error {
	return s.do(ctx, "continue", func() error {
		switch is, _ := s.state(); is {
		case running:
			return nil
		case dead:
			return fmt.Errorf("%w: it was killed, so restart it", errNotRunning)
		case stopped:
		}
		if err := s.node.resume(ctx); err != nil {
			return err
		}
		s.became(running)
		return nil
	})
}

// CutPeers takes away the server's link to the other servers, silently: no
// connection is closed. Clients go on reaching it, and until it has missed the leader
// for syncLimit ticks it goes on answering them. The cut outlasts restarts.
func (s *Server) CutPeers(ctx context.Context) error {
	return s.setCut(ctx, "cut the peers of", true)
}

// HealPeers gives the link to the other servers back.
func (s *Server) HealPeers(ctx context.Context) error {
	return s.setCut(ctx, "heal the peers of", false)
}

func (s *Server) setCut(ctx context.Context, what string, cut bool) error {
	return s.do(ctx, what, func() error {
		if !s.peerCuts {
			return ErrNoPeerCuts
		}
		change := s.node.healPeers
		if cut {
			change = s.node.cutPeers
		}
		if err := change(ctx); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cut = cut
		return nil
	})
}

// FillDisk leaves no room on the server's disk, until [Server.FreeDisk]. A server that cannot write
// its log stops serving, and may end by itself; Restart it after FreeDisk. Without [WithDisks] the error is
// [ErrNoDisks].
func (s *Server) FillDisk(ctx context.Context) error {
	return s.do(ctx, "fill the disk of", func() error {
		if owner, ok := s.node.(diskOwner); ok {
			return owner.fillDisk(ctx)
		}
		return ErrNoDisks
	})
}

// FreeDisk takes back what FillDisk has done.
func (s *Server) FreeDisk(ctx context.Context) error {
	return s.do(ctx, "free the disk of", func() error {
		if owner, ok := s.node.(diskOwner); ok {
			return owner.freeDisk(ctx)
		}
		return ErrNoDisks
	})
}

// FourLetter sends a four letter command, such as mntr, and returns the answer.
// A server that does not answer is an error after five seconds.
func (s *Server) FourLetter(ctx context.Context, word string) (string, error) {
	return fourLetter(ctx, s.Addr(), word)
}

// Watches returns how many watches clients have set on this server.
func (s *Server) Watches(ctx context.Context) (int, error) {
	answer, err := s.FourLetter(ctx, "wchs")
	if err != nil {
		return 0, err
	}
	if notWhitelisted(answer) {
		return 0, fmt.Errorf("%v does not allow wchs: add it to 4lw.commands.whitelist in its zoo.cfg", s)
	}
	return parseWatches(answer)
}

// Logs returns what the server has written, over all its starts.
func (s *Server) Logs() string {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	return s.node.logs(ctx)
}

// do runs f alone.
func (s *Server) do(ctx context.Context, what string, f func() error) error {
	fail := func(err error) error { return fmt.Errorf("ensemble: cannot %s %v: %w", what, s, err) }
	if ctx.Err() != nil {
		return fail(context.Cause(ctx))
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return fail(context.Cause(ctx))
	}
	defer func() { <-s.turn }()
	if s.isClosed() {
		return fail(ErrClosed)
	}
	if _, outside := s.node.(outsider); outside {
		return fail(ErrNotControllable)
	}
	if err := f(); err != nil {
		return fail(err)
	}
	return nil
}

func (s *Server) kill(ctx context.Context) error {
	if err := s.node.kill(ctx); err != nil {
		return err
	}
	s.became(dead)
	return nil
}

func (s *Server) start(ctx context.Context) error {
	if err := s.node.start(ctx); err != nil {
		return err
	}
	s.became(running)
	return nil
}

func (s *Server) state() (is condition, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.condition, s.cut
}

func (s *Server) became(is condition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.condition = is
}

// reachable tells whether the server runs and has its link to the others.
func (s *Server) reachable() bool {
	is, cut := s.state()
	return is == running && !cut
}

// died returns why a server that should run has ended, as far as that is known.
func (s *Server) died() error {
	m, ok := s.node.(mortal)
	if !ok {
		return nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	default:
		return nil // it is being killed or started this very moment
	}
	if is, _ := s.state(); is == dead {
		return nil
	}
	if err := m.died(); err != nil {
		return fmt.Errorf("%v: %w", s, err)
	}
	return nil
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// close waits for what is being done to the server and lets nothing follow.
func (s *Server) close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	select {
	case s.turn <- struct{}{}:
		<-s.turn
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%v is still in use: %w", s, context.Cause(ctx))
	}
}
