package workload

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/models"
)

// cellsOf is how many registers there are.
const cellsOf = 3

func cellPath(path string, key int) string { return fmt.Sprintf("%s/r%d", path, key) }

// Register is nodes that are read, set, compared and set, and written in transactions, through package client.
//
// Operations: get ({key, how}, {version, value, session}), set ({key, value}, {version}), cas ({key, value, expect}, {version,
// refused}), txn ({check, expect, key, value}, {version, refused}).
func Register() *Workload {
	return &Workload{
		Name: "register",
		Doc:  "writes, and reads behind a commit, are linearizable; what failed was not done, what was refused had reason to be; a session never reads the past",
		Setup: func(ctx context.Context, cl *client.Client, path string) error {
			for key := range cellsOf {
				if _, err := cl.Create(ctx, cellPath(path, key), nil, client.WithParents()); err != nil && !errors.Is(err, client.ErrNodeExists) {
					return err
				}
			}
			return nil
		},
		Run: func(ctx context.Context, env *Env) error {
			r := &registers{env: env, seen: map[int]int32{}}
			return takeTurns(ctx, env, func() error {
				bounded, cancel := env.Bounded(ctx)
				defer cancel()
				switch env.Rand.IntN(6) {
				case 0, 1:
					r.get(bounded)
				case 2:
					r.set(bounded)
				case 3:
					r.txn(bounded)
				default:
					r.cas(bounded)
				}
				return nil
			})
		},
		Check: models.Registers,
	}
}

// registers is one client's view of them.
type registers struct {
	env  *Env
	n    int
	seen map[int]int32 // versions that a compare and set may expect
}

// args are those of a write to a random register.
func (r *registers) args() models.RegisterArgs {
	r.n++
	return models.RegisterArgs{Key: r.env.Rand.IntN(cellsOf), Value: fmt.Sprintf("%s-%d", r.env.Name, r.n)}
}

func (r *registers) path(key int) string { return cellPath(r.env.Path, key) }

func (r *registers) get(ctx context.Context) {
	args := models.RegisterArgs{Key: r.env.Rand.IntN(cellsOf), How: []string{models.Plain, models.Synced, models.Confirmed}[r.env.Rand.IntN(3)]}
	op := r.env.Record.Invoke(models.Get, args)
	s, err := r.env.Client.Session(ctx)
	if err != nil {
		op.Fail(err)
		return
	}
	switch args.How {
	case models.Synced:
		err = s.Sync(ctx, r.path(args.Key))
	case models.Confirmed:
		err = s.Confirm(ctx, r.path(args.Key))
	}
	var data []byte
	var stat client.Stat
	if err == nil {
		data, stat, err = s.Get(ctx, r.path(args.Key))
	}
	if err != nil {
		op.Fail(err)
		return
	}
	r.seen[args.Key] = stat.Version
	op.OK(models.RegisterResult{Version: stat.Version, Value: string(data), Session: s.ID()})
}

func (r *registers) set(ctx context.Context) {
	args := r.args()
	op := r.env.Record.Invoke(models.Set, args)
	stat, err := r.env.Client.Set(ctx, r.path(args.Key), []byte(args.Value), client.AnyVersion)
	if err == nil {
		r.seen[args.Key] = stat.Version
	}
	op.End(models.RegisterResult{Version: stat.Version}, err)
}

func (r *registers) cas(ctx context.Context) {
	args := r.args()
	args.Expect = r.seen[args.Key]
	op := r.env.Record.Invoke(models.CAS, args)
	stat, err := r.env.Client.Set(ctx, r.path(args.Key), []byte(args.Value), args.Expect)
	if refused(err) {
		r.look(ctx, args.Key)
		op.OK(models.RegisterResult{Refused: true, Version: -1})
		return
	}
	if err == nil {
		r.seen[args.Key] = stat.Version
	}
	op.End(models.RegisterResult{Version: stat.Version}, err)
}

func (r *registers) txn(ctx context.Context) {
	args := r.args()
	args.Check = r.env.Rand.IntN(cellsOf)
	args.Expect = r.seen[args.Check]
	op := r.env.Record.Invoke(models.Txn, args)
	txn := r.env.Client.Txn().Check(r.path(args.Check), args.Expect).Set(r.path(args.Key), []byte(args.Value), client.AnyVersion)
	if r.env.Rand.IntN(2) == 0 {
		txn.WithMarker(r.env.Path)
	}
	results, err := txn.Commit(ctx)
	switch {
	case refused(err):
		r.look(ctx, args.Check)
		op.OK(models.RegisterResult{Refused: true, Version: -1})
	case err != nil:
		op.End(nil, err)
	case results[1].Stat.Version == 0: // found by its marker
		op.OK(models.RegisterResult{Version: -1})
	default:
		r.seen[args.Key] = results[1].Stat.Version
		op.OK(models.RegisterResult{Version: results[1].Stat.Version})
	}
}

// refused tells whether the server has answered that the version is another.
func refused(err error) bool {
	return errors.Is(err, client.ErrBadVersion) && client.Outcome(err) == client.Definite
}

// look finds out the version of a register, to expect it the next time.
func (r *registers) look(ctx context.Context, key int) {
	if _, stat, err := r.env.Client.Get(ctx, r.path(key)); err == nil {
		r.seen[key] = stat.Version
	}
}
