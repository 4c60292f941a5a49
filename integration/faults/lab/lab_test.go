package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/report"
	"github.com/zookit/zookit/integration/faults/stage"
	"github.com/zookit/zookit/integration/faults/worker"
)

// good is the name of workers that do nothing wrong.
const good = "good"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == stage.Role {
		os.Exit(misbehave(os.Args[2], filepath.Base(os.Args[0])))
	}
	goleak.VerifyTestMain(m)
}

// misbehave is a worker that does wrong what its program is called.
func misbehave(text, how string) int {
	if how == good {
		if err := worker.Main(context.Background(), text, os.Stdin, os.Stdout); err != nil {
			return 1
		}
		return 0
	}
	var c worker.Config
	if json.Unmarshal([]byte(text), &c) != nil {
		return 1
	}
	say := func(m worker.Message) { _ = json.NewEncoder(os.Stdout).Encode(m) }
	record, err := history.Create(filepath.Join(c.Dir, c.Work[0].Name, c.Process+".jsonl"), c.Process)
	if err != nil {
		return 1
	}
	ctx := context.Background()
	cl, err := client.Connect(ctx, c.Servers, client.WithSessionTimeout(c.Session))
	if err != nil {
		return 1
	}
	say(worker.Message{Event: worker.Ready})
	done := int64(0)
	go func() {
		at := record.Client(c.Process)
		for range time.Tick(50 * time.Millisecond) {
			if how != "stall" {
				done++
			}
			op := at.Invoke(models.Acquire, nil)
			op.OK(models.AcquireResult{Token: time.Now().UnixNano()})
			if how == "overlap" {
				op.Note(at.Now()+int64(time.Second), models.Held, nil)
			}
			say(worker.Message{Event: worker.Status, Done: map[string]int64{c.Work[0].Name: min(done, 1<<40)}})
			if how == "stall" && done == 0 {
				done = 1 // once
			}
			if how == "die" {
				os.Exit(3)
			}
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var command worker.Command
		_ = json.Unmarshal(lines.Bytes(), &command)
		switch {
		case how == "hang":
		case command.Do == worker.Finish:
			if how == "node" {
				_, _ = cl.Create(ctx, c.Work[0].Path+"/left", nil, client.WithMode(client.EphemeralSequential))
			}
			if how == "watch" {
				_, _, _, _ = cl.GetW(ctx, c.Work[0].Path)
			}
			say(worker.Message{Event: worker.Finished})
		case command.Do == worker.Close:
			m := worker.Message{Event: worker.Closed}
			if how == "goroutine" {
				m.Left = []string{"1 goroutines"}
			}
			if how != "session" {
				_ = cl.Close()
			}
			say(m)
			if how != "session" {
				return 0
			}
		}
	}
	return 0
}

func run(t *testing.T, how string, fault string) *report.Report {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), how)
	require.NoError(t, os.Symlink(self, program))
	r, err := Run(t.Context(), Options{
		For: 12 * time.Second, Seeds: []uint64{1}, Stages: 1, Pace: 20 * time.Millisecond, Patience: 8 * time.Second,
		Settings: stage.Settings{Servers: 1, Members: 2, Worker: program, Session: 2 * time.Second, Settle: time.Millisecond},
		Works:    []string{"mutex-history"}, Faults: []string{fault}, Out: filepath.Join(t.TempDir(), "out"),
		Command: "make faults", Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	require.Empty(t, r.Troubles)
	return r
}

// Workers that keep their promises are not accused, and nothing of them is kept.
func TestClean(t *testing.T) {
	t.Parallel()
	r := run(t, good, "link-cut")
	require.Empty(t, r.Violations)
	require.Positive(t, r.FaultsDone())
	require.Positive(t, r.Works[0].Grants)
	require.Positive(t, r.Counts.Requests)
}

// Whatever workers do wrong is found, and what shows it is kept.
func TestMisdeeds(t *testing.T) {
	for _, misdeed := range []struct{ how, rule string }{
		{"overlap", models.RuleExclusive},
		{"node", ruleNodes},
		{"watch", ruleWatches},
		{"session", ruleSessions},
		{"goroutine", ruleProcess},
		{"hang", ruleEnds},
		{"die", ruleErrors},
		{"stall", ruleGoesOn},
	} {
		t.Run(misdeed.how, func(t *testing.T) {
			t.Parallel() // they mostly wait
			r := run(t, misdeed.how, "link-cut")
			require.NotEmpty(t, r.Violations)
			var rules []string
			for _, v := range r.Violations {
				rules = append(rules, v.Rule)
				for _, file := range []string{"schedule.json", "violations.json", "nemesis.jsonl", "server-1.log", "mutex-history/p0.1.jsonl"} {
					require.FileExists(t, filepath.Join(v.Folder, file))
				}
			}
			require.Contains(t, rules, misdeed.rule, fmt.Sprint(r.Violations))
		})
	}
}

func TestNamesThatAreNone(t *testing.T) {
	_, err := Run(t.Context(), Options{Seeds: []uint64{1}, Works: []string{"nonsense"}})
	require.ErrorContains(t, err, `no workload "nonsense"`)
	_, err = Run(t.Context(), Options{Seeds: []uint64{1}, Faults: []string{"nonsense"}})
	require.ErrorContains(t, err, `no fault "nonsense"`)
}
