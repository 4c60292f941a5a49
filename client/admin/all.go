package admin

import (
	"context"
	"sync"
	"time"
)

// Answer is what one of several servers answered.
type Answer[T any] struct {
	Server *Server
	// Value is the answer, if Err is nil.
	Value T
	Err   error
	// Took is the time from the question to the answer, or to the error.
	Took time.Duration
}

// All asks several servers the same at once, such as (*Server).Srvr, and returns when all
// have answered or failed: the answers in the order of servers, each with its own error.
// ask is called on a goroutine for each server.
func All[T any](ctx context.Context, servers []*Server, ask func(*Server, context.Context) (T, error)) []Answer[T] {
	out := make([]Answer[T], len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() {
			began := time.Now()
			value, err := ask(s, ctx)
			out[i] = Answer[T]{Server: s, Value: value, Err: err, Took: time.Since(began)}
		})
	}
	wg.Wait()
	return out
}
