package main

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// event is one line of a worker's timeline.
type event struct {
	// Time is in nanoseconds since 1970.
	Time   int64  `json:"time"`
	Worker string `json:"worker"`
	// Event is waits, holds, finishes (what another left), writes, ends, applied, lost, refused, unsure or done.
	Event  string `json:"event"`
	Token  int64  `json:"token,omitempty"`
	Detail string `json:"detail,omitempty"`
}

type timeline struct {
	worker string

	mu  sync.Mutex
	enc *json.Encoder
}

func newTimeline(w io.Writer, worker string) *timeline {
	return &timeline{worker: worker, enc: json.NewEncoder(w)}
}

func (t *timeline) add(what string, token int64, detail string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.enc.Encode(event{Time: time.Now().UnixNano(), Worker: t.worker, Event: what, Token: token, Detail: detail})
}
