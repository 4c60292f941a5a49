package shell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// errQuit is what the command returns that ends the shell.
var errQuit = errors.New("the shell is to end")

// session is one run of the shell.
type session struct {
	env  *app.Env
	tree func(*app.Env) *cobra.Command // the tool's commands
	say  func(format string, args ...any)
	show func(client.State) // where there is a prompt
	past *history           // nil: not kept

	cl   *client.Client
	auth []client.Option // what addauth has added
	here string
	// unfollow ends and waits for what reports the state of cl.
	unfollow func()

	ctx     context.Context // of what goes on beside the commands, which is waited for
	cancel  context.CancelFunc
	beside  sync.WaitGroup
	lasting lasting
}

// open connects.
func open(ctx context.Context, env *app.Env, tree func(*app.Env) *cobra.Command) (*session, error) {
	cl, _, err := env.Connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{env: env, tree: tree, say: env.Say, show: func(client.State) {}, cl: cl, here: "/"}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.unfollow = s.follow()
	return s, nil
}

// close ends the session, and with it its ephemeral nodes.
func (s *session) close() error {
	s.unfollow()
	s.cancel()
	s.beside.Wait()
	return s.cl.Close()
}

// follow reports what happens to the session of the client.
func (s *session) follow() (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	var done sync.WaitGroup
	cl := s.cl
	done.Go(func() {
		var last client.StateChange
		for c := range cl.States(ctx) {
			s.report(last, c)
			last = c
		}
	})
	return func() { cancel(); done.Wait() }
}

// report tells a person of a change; that it is connected is news only after it was not.
func (s *session) report(last, now client.StateChange) {
	s.show(now.State)
	why := ""
	if now.Err != nil {
		why = ": " + output.Legible(now.Err.Error())
	}
	switch now.State {
	case client.Suspended:
		s.say("suspended: the connection is gone, session %#x may live; commands wait%s", uint64(now.SessionID), why)
	case client.Lost:
		s.say("lost: session %#x is over, and its ephemeral nodes with it%s", uint64(now.SessionID), why)
	case client.Closed:
		s.say("closed%s", why)
	case client.ReadOnly:
		s.say("read-only: %s has lost its quorum, and only reads work", now.Server)
	case client.Connected:
		switch {
		case last.State == client.Connecting && last.Epoch > 1:
			s.say("connected to %s: a new session, %#x", now.Server, uint64(now.SessionID))
		case last.State != client.Connecting || last.Epoch > 0:
			s.say("connected again to %s: session %#x", now.Server, uint64(now.SessionID))
		}
	case client.Connecting:
	}
}

// execute runs one line.
func (s *session) execute(ctx context.Context, line string) error {
	args, err := arguments(line)
	if err != nil || len(args) == 0 {
		return err
	}
	root, err := s.commands()
	if err != nil {
		return err
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// tool runs a command of the tool for one of the shell's, in the form that env has.
func (s *session) tool(ctx context.Context, env *app.Env, args ...string) error {
	inner, err := env.Inside(s.cl)
	if err != nil {
		return err
	}
	root := bare(s.tree(inner), inner)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// addAuth presents one more credential to the servers. A connection takes its credentials with it from server to server, so it is
// opened anew; the session stays the same where it has something to lose.
func (s *session) addAuth(ctx context.Context, scheme, credential string) error {
	more := append(slices.Clone(s.auth), client.WithAuth(scheme, credential))
	if held, err := s.cl.Ephemerals(ctx, "/"); err == nil && len(held) == 0 {
		cl, _, err := s.env.Connect(ctx, more...)
		if err != nil {
			return err
		}
		s.unfollow()
		former := s.cl
		s.adopt(cl, more)
		return former.Close()
	}
	s.unfollow()
	handle, err := s.cl.Detach(ctx)
	if err != nil {
		s.unfollow = s.follow()
		return err
	}
	cl, _, err := s.env.Connect(ctx, append(slices.Clone(more), client.WithSession(handle))...)
	if err == nil {
		s.adopt(cl, more)
		return nil
	}
	// As it was before, also if that was the interrupt's doing.
	cl, _, again := s.env.Connect(context.WithoutCancel(ctx), append(slices.Clone(s.auth), client.WithSession(handle))...)
	if again != nil {
		s.unfollow = func() {}
		return fmt.Errorf("%w; and session %#x could not be taken up again: %w", err, uint64(handle.ID()), again)
	}
	s.adopt(cl, s.auth)
	return err
}

func (s *session) adopt(cl *client.Client, auth []client.Option) {
	s.cl, s.auth = cl, auth
	s.unfollow = s.follow()
}
