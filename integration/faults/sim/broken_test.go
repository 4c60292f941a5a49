package sim_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/sim"
	"github.com/zookit/zookit/integration/faults/workload"
)

// naive is a lock as it is often written: an ephemeral node, believed in as long as its session seems to live.
type naive struct {
	session *client.Session
	token   int64
}

func (n *naive) Context() context.Context { return n.session.Context() }
func (n *naive) Err() error               { return n.session.Context().Err() }
func (n *naive) Token() int64             { return n.token }

// naiveMutex takes naive locks, if lock says so; otherwise it only says that it does.
func naiveMutex(lock bool) *workload.Workload {
	w := *workload.MutexHistory()
	w.Name = "mutex-naive"
	w.Run = func(ctx context.Context, env *workload.Env) error {
		for ; ctx.Err() == nil; env.Pause(ctx) {
			op := env.Record.Invoke(models.Acquire, nil)
			session, err := env.Client.Session(ctx)
			if err != nil {
				op.Fail(err)
				continue
			}
			path := env.Path + "/lock"
			if !lock {
				path += env.Name
			}
			var stat *client.Stat
			if _, err = session.Create(ctx, path, nil, client.WithMode(client.Ephemeral)); err == nil {
				_, stat, err = statOf(ctx, session, path)
			}
			if err != nil {
				op.End(nil, err)
				continue
			}
			op.OK(models.AcquireResult{Token: stat.Czxid})
			env.Hold(ctx, op, &naive{session, stat.Czxid}, env.Stay())
			env.Release(ctx, op, func(ctx context.Context) error {
				err := session.Delete(ctx, path, client.AnyVersion)
				if errors.Is(err, client.ErrNoNode) {
					return nil
				}
				return err
			})
		}
		return nil
	}
	w.Keeps = func(string) bool { return true }
	return &w
}

func statOf(ctx context.Context, session *client.Session, path string) (bool, *client.Stat, error) {
	stat, ok, err := session.Exists(ctx, path)
	if err == nil && !ok {
		err = client.ErrNoNode
	}
	return ok, &stat, err
}

// What is no lock is found out at once; what believes in a session that a server which is cut off keeps
// up is found out by that fault, within a few schedules, and the failure leaves all that is needed.
func TestBrokenLocksAreCaught(t *testing.T) {
	caught := func(w *workload.Workload, kinds []sim.Kind) (n int, last *sim.Result) {
		for seed := range uint64(20) {
			res := sim.Run(t, sim.Config{Seed: seed, Workload: w, Duration: 10 * time.Minute, Kinds: kinds})
			for _, v := range res.Violations {
				if v.Rule == models.RuleExclusive {
					n, last = n+1, res
					break
				}
			}
		}
		return n, last
	}
	n, _ := caught(naiveMutex(false), []sim.Kind{})
	require.Positive(t, n, "no lock at all")
	n, _ = caught(naiveMutex(true), []sim.Kind{})
	require.Zero(t, n, "a naive lock without faults")
	n, res := caught(naiveMutex(true), []sim.Kind{sim.DoorGivesUp})
	require.Positive(t, n, "a naive lock and a server that is cut off")
	t.Logf("caught by %d of 20 schedules", n)

	folder := filepath.Join(t.TempDir(), "left")
	require.NoError(t, res.Leave(folder))
	for _, name := range []string{"schedule.txt", "violations.txt", "history.jsonl"} {
		_, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
	}
	h, err := history.ReadFolder(folder)
	require.NoError(t, err)
	require.Len(t, h.Events, len(res.History.Events))
	require.NotEmpty(t, naiveMutex(true).Check(h), "the history that is left shows it")
}
