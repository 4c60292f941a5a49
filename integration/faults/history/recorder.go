package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/zookit/zookit/client"
)

// Recorder appends the events of one process to its history. Each event is one write, made before the method
// returns: a process that is killed loses at most a part of its last line. It is safe for
// concurrent use.
type Recorder struct {
	process string
	clock   func() int64

	mu    sync.Mutex
	w     io.Writer
	close func() error
	err   error
}

// NewRecorder returns a recorder that writes the events of a process to w, with times of the clock, which is
// [Monotonic] if it is nil.
func NewRecorder(w io.Writer, process string, clock func() int64) *Recorder {
	if clock == nil {
		clock = Monotonic
	}
	return &Recorder{process: process, clock: clock, w: w, close: func() error { return nil }}
}

// Create returns a recorder that appends to a file, which is made if it does not exist.
func Create(path, process string) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) //nolint:gosec // the caller's file
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	r := NewRecorder(f, process, nil)
	r.close = f.Close
	return r, nil
}

// Now is the time that an event would have that is written now.
func (r *Recorder) Now() int64 { return r.clock() }

// Close closes the file. It returns the first error that there was in writing.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(r.err, r.close()); err != nil {
		return fmt.Errorf("history of %s: %w", r.process, err)
	}
	return nil
}

// Err returns the first error that there was in writing. What came after it is lost.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// write appends an event. args and result are made JSON; nil is absent.
func (r *Recorder) write(e Event, args, result any) {
	e.Process = r.process
	var err error
	if args != nil {
		e.Args, err = json.Marshal(args)
	}
	if result != nil && err == nil {
		e.Result, err = json.Marshal(result)
	}
	var line []byte
	if err == nil {
		line, err = json.Marshal(e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return
	}
	if err == nil {
		_, err = r.w.Write(append(line, '\n'))
	}
	r.err = err
}

// Note writes something that the process has seen, now, which is of none of its clients.
func (r *Recorder) Note(name string, args any) {
	r.write(Event{Time: r.clock(), Kind: Note, Name: name}, args, nil)
}

// Client returns the recorder of one client of the process. A client does one operation at a time.
func (r *Recorder) Client(name string) *Client { return &Client{r: r, name: name} }

// Client writes the events of one client.
type Client struct {
	r    *Recorder
	name string

	mu sync.Mutex
	op int64
}

// Name returns the client's name.
func (c *Client) Name() string { return c.name }

// Now is the time that an event would have that is written now.
func (c *Client) Now() int64 { return c.r.clock() }

// Invoke writes that an operation begins.
func (c *Client) Invoke(name string, args any) *Pending {
	c.mu.Lock()
	c.op++
	p := &Pending{c: c, op: c.op, name: name}
	c.mu.Unlock()
	c.r.write(Event{Time: c.r.clock(), Client: c.name, Op: p.op, Kind: Invoke, Name: name}, args, nil)
	return p
}

// Note writes something that the client has seen, now, which is about no operation.
func (c *Client) Note(name string, args any) {
	c.r.write(Event{Time: c.r.clock(), Client: c.name, Kind: Note, Name: name}, args, nil)
}

// Pending is an operation that has begun. One of its completions is to be called once; none, if the
// process is killed.
type Pending struct {
	c    *Client
	op   int64
	name string
}

// Op returns the operation's number.
func (p *Pending) Op() int64 { return p.op }

func (p *Pending) end(kind Kind, result any, err error) {
	e := Event{Time: p.c.r.clock(), Client: p.c.name, Op: p.op, Kind: kind, Name: p.name}
	if err != nil {
		e.Error = err.Error()
	}
	p.c.r.write(e, nil, result)
}

// OK writes that the operation has taken effect.
func (p *Pending) OK(result any) { p.end(OK, result, nil) }

// Fail writes that the operation has certainly not taken effect.
func (p *Pending) Fail(err error) { p.end(Fail, nil, err) }

// Unknown writes that nobody knows whether the operation has taken effect, or will.
func (p *Pending) Unknown(err error) { p.end(Unknown, nil, err) }

// End writes what an error of package client, or none, says: nil is OK, with the result, and
// the others are by their [client.Outcome].
func (p *Pending) End(result any, err error) {
	switch {
	case err == nil:
		p.OK(result)
	case client.Outcome(err) == client.Unknown:
		p.Unknown(err)
	default:
		p.Fail(err)
	}
}

// Note writes something about the operation that is so at the time at: [Client.Now], read when the workload says.
func (p *Pending) Note(at int64, name string, args any) {
	p.c.r.write(Event{Time: at, Client: p.c.name, Op: p.op, Kind: Note, Name: name}, args, nil)
}
