package history_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }

type token struct {
	Token int64 `json:"token"`
}

// What several processes have written is read as operations with their notes, whole numbers to the last digit.
func TestWrittenAndRead(t *testing.T) {
	folder := t.TempDir()
	const big = 1<<62 + 1
	for _, process := range []string{"p1", "p2"} {
		r, err := history.Create(filepath.Join(folder, process+".jsonl"), process)
		require.NoError(t, err)
		c := r.Client("c-" + process)
		op := c.Invoke("acquire", token{1})
		op.OK(token{big})
		op.Note(c.Now(), "held", nil)
		c.Invoke("write", nil).Unknown(errors.New("lost"))
		c.Invoke("write", nil).Fail(errors.New("refused"))
		c.Invoke("write", nil)
		c.Note("seen", token{2})
		r.Note(history.Stopped, history.Target{Process: "p2"})
		require.NoError(t, r.Close())
	}
	h, err := history.ReadFolder(folder)
	require.NoError(t, err)
	ops := h.Operations()
	require.Len(t, ops, 8)
	for i := 1; i < len(h.Events); i++ {
		require.LessOrEqual(t, h.Events[i-1].Time, h.Events[i].Time)
	}
	var args, result token
	first := ops[0]
	require.NoError(t, first.ArgsInto(&args))
	require.NoError(t, first.ResultInto(&result))
	require.Equal(t, "acquire", first.Name)
	require.Equal(t, history.OK, first.Outcome)
	require.EqualValues(t, 1, args.Token)
	require.EqualValues(t, big, result.Token)
	require.Len(t, first.Notes, 1)
	require.Less(t, first.Invoked, first.Notes[0].Time)
	outcomes := map[history.Kind]int{}
	for _, o := range ops {
		outcomes[o.Outcome]++
		require.Equal(t, o.Outcome == history.Unknown, o.Completed == history.Never)
	}
	require.Equal(t, map[history.Kind]int{history.OK: 2, history.Unknown: 4, history.Fail: 2}, outcomes)
	require.Len(t, h.Notes("seen"), 2)
	require.Len(t, h.Notes(history.Stopped), 2)
	require.Positive(t, h.Span())

	var again bytes.Buffer
	require.NoError(t, h.Write(&again))
	events, err := history.Read(&again)
	require.NoError(t, err)
	require.Equal(t, h.Events, events)
}

// The last line of a process that was killed is left out; any other that is no event is an error that names it.
func TestTornAndMalformed(t *testing.T) {
	const whole = `{"time":1,"process":"p","client":"c","op":1,"kind":"invoke","name":"get","more":true}` + "\n"
	for _, torn := range []string{"", "{", whole[:len(whole)-1], `{"kind":"no`, "\x00\x00"} {
		events, err := history.Read(strings.NewReader(whole + "\n" + torn))
		require.NoError(t, err)
		require.Len(t, events, 1, "%q", torn)
	}
	for _, bad := range []string{
		"{\n", "[]\n", `{"kind":"done","name":"x"}` + "\n", `{"kind":"note"}` + "\n", `{"kind":"ok","name":"get","client":"c"}` + "\n",
		`{"kind":"ok","name":"get","op":1}` + "\n", `{"time":1.5,"kind":"note","name":"x"}` + "\n", `{"time":"1","kind":"note","name":"x"}` + "\n",
	} {
		_, err := history.Read(strings.NewReader(whole + bad))
		require.ErrorIs(t, err, history.ErrMalformed, "%q", bad)
		require.ErrorContains(t, err, "line 2")
	}
	_, err := history.Read(strings.NewReader(strings.Repeat("x", 17<<20)))
	require.ErrorIs(t, err, history.ErrMalformed)
	path := filepath.Join(t.TempDir(), "bad.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{\n"), 0o600))
	_, err = history.ReadFiles(path)
	require.ErrorContains(t, err, path)
	_, err = history.ReadFiles(path + ".not")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = history.Create(filepath.Join(path, "x"), "p")
	require.Error(t, err)
}

// Completions of nothing, and what a client does that has the name of another, do not confuse.
func TestStrayCompletions(t *testing.T) {
	h := history.Merge([]history.Event{
		{Time: 1, Client: "c", Op: 1, Kind: history.OK, Name: "get"},
		{Time: 2, Client: "c", Op: 2, Kind: history.Invoke, Name: "get"},
		{Time: 3, Client: "d", Op: 2, Kind: history.OK, Name: "get"},
	})
	ops := h.Operations()
	require.Len(t, ops, 1)
	require.Equal(t, history.Unknown, ops[0].Outcome)
	require.Equal(t, history.Never, ops[0].Ended)
}

// The outcome of an operation is what package client says of its error.
func TestEnd(t *testing.T) {
	var out bytes.Buffer
	c := history.NewRecorder(&out, "p", nil).Client("c")
	for _, err := range []error{nil, client.ErrNoNode, errors.New("?"), context.Canceled} {
		c.Invoke("set", nil).End(token{1}, err)
	}
	events, err := history.Read(&out)
	require.NoError(t, err)
	ops := history.Merge(events).Operations()
	require.Equal(t, history.OK, ops[0].Outcome)
	for i, err := range []error{client.ErrNoNode, errors.New("?"), context.Canceled} {
		want := history.Fail
		if client.Outcome(err) == client.Unknown {
			want = history.Unknown
		}
		require.Equal(t, want, ops[i+1].Outcome, "%v", err)
		require.Empty(t, ops[i+1].Result)
	}
}

// Stops of a process: open ones last, and one that was over shortly before counts as recent.
func TestStops(t *testing.T) {
	const second = int64(1e9)
	note := func(at int64, name, process string) history.Event {
		return history.Event{Time: at, Kind: history.Note, Name: name, Args: []byte(`{"process":"` + process + `"}`)}
	}
	s := history.Merge([]history.Event{
		note(5*second, history.Stopped, "p"), note(10*second, history.Continued, "p"), note(20*second, history.Stopped, "p"),
		note(1, history.Continued, "q"),
	}).Stops()
	at, ok := s.Between("p", 0, 30*second)
	require.True(t, ok)
	require.Equal(t, 5*second, at)
	at, ok = s.Between("p", 7*second, 8*second)
	require.True(t, ok)
	require.Equal(t, 7*second, at)
	_, ok = s.Between("p", 11*second, 19*second)
	require.False(t, ok)
	_, ok = s.Between("q", 0, 30*second)
	require.False(t, ok)
	require.True(t, s.Recent("p", 0, 10*second+second/2))
	require.False(t, s.Recent("p", 0, 12*second))
	require.True(t, s.Recent("p", 15*second, 25*second))
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

// An error in writing, or what cannot be written, is kept and told at the end; writing is safe from several goroutines.
func TestRecorderErrors(t *testing.T) {
	r := history.NewRecorder(failing{}, "p", nil)
	r.Note("x", nil)
	r.Note("y", nil)
	require.ErrorIs(t, r.Err(), os.ErrClosed)
	require.ErrorIs(t, r.Close(), os.ErrClosed)
	var out bytes.Buffer
	r = history.NewRecorder(&out, "p", nil)
	r.Note("x", func() {})
	require.Error(t, r.Close())

	r = history.NewRecorder(&out, "p", nil)
	var wg sync.WaitGroup
	c := r.Client("c")
	for range 8 {
		wg.Go(func() {
			for range 100 {
				c.Invoke("get", nil).OK(nil)
			}
		})
	}
	wg.Wait()
	events, err := history.Read(&out)
	require.NoError(t, err)
	require.Len(t, history.Merge(events).Operations(), 800)
}
