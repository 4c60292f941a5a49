package resource

import (
	"context"
	"errors"
	"sync"

	"github.com/zookit/zookit/integration/faults/history"
)

// ErrStale is returned for a token that is smaller than one that has been seen.
var ErrStale = errors.New("stale token")

// Resource is something outside of ZooKeeper that a lock protects: a number, its version, which each write is to take one further.
// It is safe for concurrent use.
type Resource interface {
	// Read returns the version. A guarded resource refuses a stale token, with ErrStale, and notes a new one.
	Read(ctx context.Context, token int64) (version int64, err error)
	// Write replaces the version base, which the writer has read, by the next. An unguarded resource does so
	// whatever its version is by now, as a file does; a guarded one unless the token is stale.
	Write(ctx context.Context, w Write) error
}

// Write is one write.
type Write struct {
	// Client is who writes, and Acquire the number of its operation under which it does.
	Client  string `json:"client"`
	Acquire int64  `json:"acquire"`
	Token   int64  `json:"token"`
	// Base is the version that it has read.
	Base int64 `json:"base"`
}

// Written is the note of a resource about a write that it has carried out, in the order in which it did so; its
// arguments are an [Effect].
const Written = "written"

// Effect is a write that was carried out.
type Effect struct {
	Write
	// Was is the version before it. Where it is not Base, what was written in between is lost.
	Was int64 `json:"was"`
}

// Memory is a resource in this process. It writes down what is written to it.
type Memory struct {
	guarded bool
	record  *history.Recorder

	mu      sync.Mutex
	version int64 // counts the writes
	token   int64
}

// NewMemory returns a resource at version 0.
func NewMemory(guarded bool, record *history.Recorder) *Memory {
	return &Memory{guarded: guarded, record: record}
}

// Read implements Resource.
func (m *Memory) Read(_ context.Context, token int64) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.admit(token); err != nil {
		return 0, err
	}
	return m.version, nil
}

// Write implements Resource.
func (m *Memory) Write(_ context.Context, w Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.admit(w.Token); err != nil {
		return err
	}
	m.record.Note(Written, Effect{Write: w, Was: m.version})
	m.version++
	return nil
}

func (m *Memory) admit(token int64) error {
	if !m.guarded {
		return nil
	}
	if token < m.token {
		return ErrStale
	}
	m.token = token
	return nil
}
