package models_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// story writes a history by hand: time passes by one with each event.
type story struct {
	t   *testing.T
	now int64
	out bytes.Buffer
	all map[string]*history.Client
	lab *history.Recorder
}

func tell(t *testing.T) *story {
	t.Helper()
	s := &story{t: t, all: map[string]*history.Client{}}
	s.lab = history.NewRecorder(&s.out, "laboratory", s.clock)
	return s
}

func (s *story) clock() int64 {
	s.now++
	return s.now
}

// of returns the client of a name; its process has the same.
func (s *story) of(name string) *history.Client {
	if s.all[name] == nil {
		s.all[name] = history.NewRecorder(&s.out, name, s.clock).Client(name)
	}
	return s.all[name]
}

func (s *story) begin(client, name string, args any) *history.Pending {
	return s.of(client).Invoke(name, args)
}

// did is an operation that nothing overlaps.
func (s *story) did(client, name string, args, result any) *history.Pending {
	op := s.begin(client, name, args)
	op.OK(result)
	return op
}

// got is a grant that is believed in from now on.
func (s *story) got(client string, token int64, args models.AcquireArgs) *history.Pending {
	op := s.did(client, models.Acquire, args, models.AcquireResult{Token: token})
	s.held(op)
	return op
}

func (s *story) held(op *history.Pending) { op.Note(s.clock(), models.Held, nil) }

func (s *story) released(client string, op *history.Pending) {
	s.did(client, models.Release, models.ReleaseArgs{Acquire: op.Op()}, nil)
}

func (s *story) stopped(process string) {
	s.lab.Note(history.Stopped, history.Target{Process: process})
}
func (s *story) continued(process string) {
	s.lab.Note(history.Continued, history.Target{Process: process})
}

func (s *story) end() *history.History {
	s.t.Helper()
	events, err := history.Read(bytes.NewReader(s.out.Bytes()))
	require.NoError(s.t, err)
	return history.Merge(events)
}

// requireRules checks which rules were broken.
func requireRules(t *testing.T, vs []models.Violation, rules ...string) {
	t.Helper()
	var got []string
	for _, v := range vs {
		require.NotEmpty(t, v.Text)
		got = append(got, v.Rule)
	}
	require.Equal(t, rules, got, "%s", models.Lines(vs))
}
